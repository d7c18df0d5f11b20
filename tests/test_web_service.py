"""The service with a made-up verifier: refusals, deadlines, defects, batches, uploads."""

import asyncio
import json
import logging
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO

import pytest
from PIL import Image

from common.errors import InputError
from engine.answer import ANSWER_COLUMNS

pytest.importorskip("fastapi")

from fastapi.testclient import TestClient

from web.batcher import Batcher
from web.limits import Limits
from web.service import create_app
from web.uploads import answer_uploads, unpack

GUARD = 30  # seconds after which a test that hangs fails


def photo(size=(1, 1)):
    buffer = BytesIO()
    Image.new("RGB", size).save(buffer, "PNG")
    return buffer.getvalue()


FORM = {"data": {"text": "A cow."}, "files": {"image": photo()}}


@dataclass
class Answered:
    text: str
    image: str | None
    error: str | None = None

    def to_json(self):
        return {"text": self.text, "image": None, "answer": "True", "error": self.error}

    def to_row(self):
        row = {"text": self.text, "image": self.image, "answer": "True", "error": self.error}
        return dict.fromkeys(ANSWER_COLUMNS) | row


class Made:
    """A verifier that waits until it may go on, and fails for some texts."""

    columns = ANSWER_COLUMNS

    def __init__(self):
        self.go, self.taken = threading.Event(), threading.Semaphore(0)
        self.go.set()

    def failure(self, text, image, error):
        return Answered(text, image, error)

    def verify_many(self, pairs):
        pairs = list(pairs)
        self.taken.release()
        assert self.go.wait(GUARD)
        if any(text == "defect" for text, _ in pairs):
            raise ZeroDivisionError("of a pair")
        for text, image in pairs:
            yield Answered(text, image, "no such animal" if text == "error" else None)


def rows_of(caplog):
    return [json.loads(r.message) for r in caplog.records if r.name == "faunacheck"]


@pytest.fixture(autouse=True)
def logged(caplog):
    caplog.set_level(logging.INFO, "faunacheck")


TOKEN = {"authorization": "Bearer secret"}
REFUSALS = [
    ("/v1/verify", FORM, 401),
    ("/v1/verify", FORM | {"headers": {"authorization": "Basic secret"}}, 401),
    ("/v1/verify", FORM | {"headers": TOKEN, "data": {"text": "A cow." * 500}}, 413),
    ("/v1/verify", FORM | {"headers": TOKEN | {"host": "evil.example"}}, 400),
    ("/v1/verify", FORM | {"headers": TOKEN | {"origin": "http://evil.example"}}, 403),
    ("/v1/verify", {"headers": TOKEN}, 422),
    ("/etc/passwd", FORM | {"headers": TOKEN}, 404),
    ("/v1/verify", FORM | {"headers": {"authorization": "bearer secret"}}, 200),
]


@pytest.mark.parametrize(("path", "request_", "status"), REFUSALS)
def test_a_refusal_is_counted_logged_and_numbered(caplog, path, request_, status):
    app = create_app(Made(), Limits(max_body=2000), "secret", ["testserver"])
    with TestClient(app) as client:
        answer = client.post(path, **request_)
        metrics = client.get("/metrics", headers={"host": "testserver"}).text
    assert answer.status_code == status
    if status != 200:
        assert set(answer.json()) == {"error"}
    shown = path if path == "/v1/verify" else "other"
    assert f'faunacheck_requests_total{{path="{shown}",status="{status}"}} 1.0' in metrics
    row = next(row for row in rows_of(caplog) if row["method"] == "POST")
    assert (row["path"], row["status"]) == (shown, status)
    assert row["request"] == answer.headers["x-request-id"]


def in_flight(client):
    """Requests in flight besides the one that asks."""
    name = "faunacheck_requests_in_flight "
    metrics = client.get("/metrics").text.splitlines()
    return next(float(row.removeprefix(name)) for row in metrics if row.startswith(name)) - 1


def test_too_many_requests(caplog):
    made = Made()
    made.go.clear()
    with TestClient(create_app(made, Limits(max_requests=2))) as client, ThreadPoolExecutor() as p:
        running = [p.submit(client.post, "/v1/verify", **FORM) for _ in range(2)]
        while in_flight(client) < 2:
            pass
        refused = client.post("/v1/verify", **FORM)
        assert refused.status_code == 429 and refused.headers["retry-after"] == "1"
        assert refused.json() == {"error": "too many requests; at most 2 are answered at once"}
        made.go.set()
        assert [future.result().status_code for future in running] == [200, 200]
        assert client.post("/v1/verify", **FORM).status_code == 200
    assert [row["status"] for row in rows_of(caplog) if row["path"] == "/v1/verify"].count(429) == 1


def test_an_answer_that_takes_too_long_frees_its_place():
    made = Made()
    made.go.clear()
    with TestClient(create_app(made, Limits(max_requests=1, timeout=0.2))) as client:
        for _ in range(2):
            late = client.post("/v1/verify", **FORM)
            assert late.status_code == 503 and late.headers["retry-after"] == "5"
            assert late.json() == {"error": "not answered within 0.2 s"}
        made.go.set()


def test_a_body_that_never_ends_frees_its_place():
    async def ask(app, receive):
        sent = []

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/v1/verify", "query_string": b""}
        kind = b"multipart/form-data; boundary=x"
        scope["headers"] = [(b"host", b"localhost"), (b"content-type", kind)]
        await asyncio.wait_for(app(scope, receive, send), GUARD)
        return sent[0]["status"], json.loads(sent[1]["body"])

    async def both():
        started, never = [True], asyncio.Event()

        async def receive():
            if started and started.pop():
                return {"type": "http.request", "body": b"--x\r\n", "more_body": True}
            await never.wait()

        app = create_app(Made(), Limits(max_requests=1, timeout=0.05))
        return [await ask(app, receive) for _ in range(2)]

    assert asyncio.run(both()) == [(503, {"error": "not answered within 0.05 s"})] * 2


def test_a_defect_is_json_and_its_traceback_is_logged(caplog):
    with TestClient(create_app(Made()), raise_server_exceptions=False) as client:
        answer = client.post("/v1/verify", data={"text": "defect"}, files={"image": photo()})
        assert client.post("/v1/verify", **FORM).status_code == 200
    number = answer.headers["x-request-id"]
    assert answer.status_code == 500
    assert answer.json() == {"error": f"internal error; the log has it under request {number}"}
    row = next(row for row in rows_of(caplog) if row["request"] == number)
    assert row["status"] == 500 and "ZeroDivisionError: of a pair" in row["defect"]


def test_a_defect_fails_no_stranger():
    made = Made()
    made.go.clear()
    batcher = Batcher(made, threads=1)
    first = batcher.submit([("first", b"")])
    made.taken.acquire()  # what comes now is one batch
    futures = batcher.submit([(text, b"") for text in ("one", "defect", "two", "error", "defect")])
    made.go.set()
    batcher.close()
    errors = [future.exception(GUARD) for future in first + futures]
    assert [type(error) for error in errors if error] == [ZeroDivisionError] * 2
    answers = [
        future.result() for future, error in zip(first + futures, errors, strict=True) if not error
    ]
    assert [answer.text for answer in answers] == ["first", "one", "two", "error"]


def test_one_pair_without_an_answer_has_the_shape_of_all_errors():
    with TestClient(create_app(Made())) as client:
        answer = client.post("/v1/verify", data={"text": "error"}, files={"image": photo()})
        assert (answer.status_code, answer.json()) == (422, {"error": "no such animal"})


@pytest.mark.parametrize("raised", [RuntimeError, TypeError, NotImplementedError])
def test_a_photo_that_breaks_pillow_is_no_defect(monkeypatch, raised):
    def broken(*_, **__):
        raise raised("odd")

    monkeypatch.setattr(Image, "open", broken)
    with TestClient(create_app(Made())) as client:
        answer = client.post("/v1/verify", **FORM)
    assert answer.json() == {"error": "the image: not an image that can be read"}


def zipped(path, name="photos/one.png", kind=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", kind) as file:
        file.writestr(name, bytes(range(256)) * 20)
    return path


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_damaged_zip_is_an_input_error(tmp_path, kind):
    path = zipped(tmp_path / "photos.zip", kind=kind)
    damaged = bytearray(path.read_bytes())
    damaged[60:100] = b"\xff" * 40
    path.write_bytes(damaged)
    with pytest.raises(InputError, match="the zip cannot be read"):
        unpack(path, tmp_path)


def test_answers_lie_where_they_are_told_and_nothing_else_stays(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    (tmp_path / "pairs.csv").write_text("text,image\nA cow.,photos/one.png\n")
    photos = zipped(tmp_path / "photos.zip")
    summary, answers = answer_uploads(Made(), tmp_path / "pairs.csv", photos, tmp_path)
    assert summary.startswith("1 answered") and answers == str(tmp_path / "answers.csv")
    assert "A cow.,photos/one.png,True" in (tmp_path / "answers.csv").read_text()
    assert not list((tmp_path / "temporary").iterdir())
