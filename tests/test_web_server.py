"""What the page and the service refuse to strangers: files, host names, other sites' requests."""

import json
import re
import socket

import httpx
import pytest
from conftest import error_of, script
from served import served

from common.paths import ROOT

pytest.importorskip("fastapi")

RACCOON = ROOT / "data/samples/raccoon.jpg"
CALL = "/gradio_api/call/check"


@pytest.fixture(scope="module")
def page():
    pytest.importorskip("gradio")
    with served("app.py", "--allowed-host", "animals.example") as (url, *_):
        yield httpx.Client(base_url=url, timeout=60)


@pytest.fixture(scope="module")
def service():
    with served("service.py", "--allowed-host", "animals.example") as (url, *_):
        yield httpx.Client(base_url=url, timeout=60)


def check(page, path):
    """Ask the page about a photo at a path of its machine; return what its event stream says."""
    photo = {"path": str(path), "meta": {"_type": "gradio.FileData"}}
    event = page.post(CALL, json={"data": ["A raccoon.", photo]}).json()["event_id"]
    return page.get(f"{CALL}/{event}").text


def test_the_page_hands_out_no_file_but_what_was_uploaded(page, tmp_path):
    (tmp_path / "secret").write_text("secret")
    with RACCOON.open("rb") as photo:
        uploaded = page.post("/gradio_api/upload", files={"files": photo}).json()[0]
    assert "id='answer'" in check(page, uploaded)
    assert page.get(f"/gradio_api/file={uploaded}").content == RACCOON.read_bytes()
    for path in (tmp_path / "secret", RACCOON, ROOT / "models/classifier/config.json"):
        said = check(page, path)
        assert "event: error" in said
        named = re.findall(rf"[^'\"\s]+/{path.name}", said)
        for name in [path, *named]:
            assert page.get(f"/gradio_api/file={name}").status_code in (403, 404)


HEADERS = [
    ({"host": "evil.example"}, 400),
    ({"host": "evil.example:{port}"}, 400),
    ({"host": "127.0.0.1.evil.example"}, 400),
    ({"host": "evil@127.0.0.1"}, 400),
    ({"host": ""}, 400),
    ({}, 200),
    ({"host": "LOCALHOST:{port}"}, 200),
    ({"host": "[::1]:{port}"}, 200),
    ({"host": "animals.example"}, 200),
    ({"origin": "http://evil.example"}, 403),
    ({"origin": "http://localhost:1"}, 403),
    ({"origin": "null"}, 403),
    ({"origin": "http://127.0.0.1:{port}"}, 200),
    ({"host": "animals.example", "origin": "https://animals.example"}, 200),
]


@pytest.mark.parametrize(("headers", "status"), HEADERS)
@pytest.mark.parametrize("server", ["page", "service"])
def test_host_and_origin(server, headers, status, request):
    client = request.getfixturevalue(server)
    headers = {name: said.format(port=client.base_url.port) for name, said in headers.items()}
    reads = status if "origin" not in headers else 200  # what the browser keeps from the site
    answer = client.get({"page": "/config", "service": "/v1/animals"}[server], headers=headers)
    assert answer.status_code == reads
    files = {"files": b"x"} if server == "page" else {"image": RACCOON.read_bytes()}
    path = {"page": "/gradio_api/upload", "service": "/v1/verify"}[server]
    answer = client.post(path, headers=headers, files=files, data={"text": "A raccoon."})
    assert answer.status_code == status
    if status != 200:
        assert set(answer.json()) == {"error"}


def test_an_upload_has_a_limit(monkeypatch):
    gradio = pytest.importorskip("gradio")
    from fastapi.testclient import TestClient

    import web.page

    monkeypatch.setattr(web.page, "MAX_UPLOAD", 1000)
    with gradio.Blocks() as page:
        gradio.File()
    with TestClient(web.page.mount(page, ["*"])) as client:
        sent = [client.post("/gradio_api/upload", files={"files": b"x" * n}) for n in (1000, 1001)]
    assert [answer.status_code for answer in sent] == [200, 413]


@pytest.mark.parametrize("command", ["app.py", "service.py"])
def test_a_port_in_use_is_one_line(command):
    if command == "app.py":
        pytest.importorskip("gradio")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = error_of(script(command, "--port", port, check=False))
    assert error.startswith(f"error: cannot listen on 127.0.0.1, port {port}: ")


def test_the_service_says_where_it_listens_as_json():
    with served("service.py") as (url, _, lines):
        assert json.loads(lines[0]) == {"listening": url}
