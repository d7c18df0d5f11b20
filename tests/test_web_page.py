"""The page without a browser: what it says, what it keeps, and what it lets a browser do."""

import signal
import stat
from pathlib import Path

import httpx
import pytest
from served import served

pytest.importorskip("gradio")

from fastapi.testclient import TestClient

from common.paths import ROOT
from engine.verifier import Answer
from web.page import make_page, mount

HOSTILE = '<a href="https://evil.example">x</a>'


class Refusing:
    """A verifier with an error that is HTML."""

    def verify_many(self, pairs):
        return [Answer(text, None, error=f"no: {HOSTILE}") for text, _ in pairs]


@pytest.fixture(scope="module")
def client():
    with TestClient(mount(make_page(Refusing()), ["testserver"])) as client:
        yield client


def event(client, name, data):
    number = client.post(f"/gradio_api/call/{name}", json={"data": data}).json()["event_id"]
    return client.get(f"/gradio_api/call/{name}/{number}").text


def upload(client, name, content):
    path = client.post("/gradio_api/upload", files={"files": (name, content)}).json()[0]
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def test_errors_are_text(client):
    photo = upload(client, "cat.jpg", (ROOT / "data/samples/cat.jpg").read_bytes())
    said = event(client, "check", ["A cow.", photo])
    assert "no: &lt;a href=" in said and "<a" not in said
    table = upload(client, "pairs.csv", f"{HOSTILE}\n1\n".encode())
    said = event(client, "check_many", [table, None])
    assert "event: error" in said and "<a" not in said


def test_the_policy_forbids_forms_and_frames(client):
    policy = client.get("/").headers["content-security-policy"]
    for rule in ("form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert rule in policy.split("; ")


def test_what_people_check_is_private_and_goes_with_the_page(tmp_path):
    with served("app.py", TMPDIR=str(tmp_path)) as (url, process, _):
        client = httpx.Client(base_url=url, timeout=60)
        (folder,) = tmp_path.glob("faunacheck-page-*")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        photo = (ROOT / "data/samples/cat.jpg").read_bytes()
        assert "id='answer'" in event(client, "check", ["A cat.", upload(client, "a.jpg", photo)])
        table = upload(client, "pairs.csv", b"text,image\nA cat.,cat.jpg\n")
        assert "answers.csv" in event(client, "check_many", [table, None])
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        kept = [path for path in files if path.name != ".ses"]  # onnxruntime's own, a random id
        assert "answers.csv" in [path.name for path in kept]
        assert [path for path in kept if not path.is_relative_to(folder)] == []
        assert Path(table["path"]).is_relative_to(folder)
        config = client.get("/config").json()
        assert config["run_history"] is False
        client.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        assert not folder.exists()
