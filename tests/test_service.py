"""The HTTP service with the models that ship: answers, limits, hostile uploads, a graceful stop."""

import asyncio
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi")

import httpx
from fastapi.testclient import TestClient

from benchmarks.load import Load
from common.paths import ROOT
from engine.verifier import Verifier
from web.limits import Limits
from web.service import create_app

RACCOON = (ROOT / "data/samples/raccoon.jpg").read_bytes()
CAT = (ROOT / "data/samples/cat.jpg").read_bytes()


@pytest.fixture(scope="module")
def verifier():
    return Verifier.load(threads=1)


@pytest.fixture(scope="module")
def client(verifier):
    with TestClient(create_app(verifier)) as client:
        yield client


def post(client, *pairs, **options):
    """Ask about pairs of text and the bytes of a photo."""
    files = [("text", (None, text)) for text, _ in pairs]
    files += [("image", ("photo.jpg", photo, "image/jpeg")) for _, photo in pairs]
    return client.post("/v1/verify", files=files, **options)


def test_one_pair(client, verifier):
    answer = post(client, ("There is a raccoon, but no cow.", RACCOON))
    assert answer.status_code == 200
    expected = verifier.verify("There is a raccoon, but no cow.", RACCOON).to_json()
    assert answer.json() == json.loads(json.dumps(expected))
    assert answer.json()["verdict"] is True


def test_several_pairs(client):
    pairs = [("A raccoon.", RACCOON), ("A cow.", RACCOON), ("", CAT), ("A cat.", b"no image")]
    answer = post(client, *pairs)
    assert answer.status_code == 200
    assert [row["answer"] for row in answer.json()] == ["True", "False", None, None]
    assert [row["error"] for row in answer.json()] == [
        *(None, None, "the text is empty; expected a sentence"),
        "the image: not an image that can be read",
    ]


def test_a_pair_without_an_answer(client):
    answer = post(client, (" ", RACCOON))
    assert answer.status_code == 422
    assert answer.json()["error"] == "the text is empty; expected a sentence"


def test_animals(client):
    names = client.get("/v1/animals").json()
    assert len(names) == 92 and "orca" in names["killer_whale"]


def test_health_and_metrics(client):
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}
    before = client.get("/metrics").text
    post(client, ("A raccoon.", RACCOON))
    after = client.get("/metrics").text
    line = 'faunacheck_requests_total{path="/v1/verify",status="200"}'

    def count(text):
        return next((float(row.split()[1]) for row in text.splitlines() if row.startswith(line)), 0)

    assert count(after) == count(before) + 1
    assert "photo.jpg" not in after and "raccoon" not in after


def bomb() -> bytes:
    """A small file of many pixels."""
    buffer = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, "PNG")
    return buffer.getvalue()


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("photo.jpg", RACCOON)
    return buffer.getvalue()


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n"


@pytest.mark.parametrize(
    ("photo", "message"),
    [
        (b"", "not an image that can be read"),
        (b"GIF89a/*<script>alert(1)</script>*/", "the image: "),
        (SVG, "not an image that can be read"),
        (EPS, "not an image that can be read"),
        (b"/etc/passwd", "not an image that can be read"),
        (b"http://127.0.0.1/photo.jpg", "not an image that can be read"),
        (zipped(), "not an image that can be read"),
        (RACCOON[:3000], "damaged image"),
        (bomb(), "more than 50,000,000 pixels"),
    ],
)
def test_hostile_photos(client, photo, message):
    answer = post(client, ("A cow.", photo))
    assert answer.status_code == 422 and message in answer.json()["error"]


def test_a_file_name_is_not_a_path(client):
    name = "../../../../etc/passwd"
    files = [("text", (None, "A raccoon.")), ("image", (name, RACCOON, "text/html"))]
    answer = client.post("/v1/verify", files=files)
    assert answer.json()["verdict"] is True and answer.json()["image"] is None


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ({}, 422, "text: Field required; image: Field required"),
        ({"data": {"text": "A cow."}}, 422, "image: Field required"),
        ({"json": {"text": "A cow.", "image": "/etc/passwd"}}, 422, "Field required"),
        (
            {"files": [("text", (None, "a")), ("image", (None, "/etc/passwd"))]},
            422,
            "image.0: Value error",
        ),
        ({"files": [("text", (None, "a"))] * 2 + [("image", ("a", b"x"))]}, 422, "2 texts and 1"),
        ({"files": [("text", (None, "a")), ("image", ("a", b"x"))] * 65}, 413, "65 pairs; at most"),
        ({"files": [("text", (None, "a" * 10_001)), ("image", ("a", b"x"))]}, 413, "10,001 char"),
        ({"files": [("text", (None, "a"))] * 10_000}, 400, "Too many"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400, "oundary"),
    ],
)
def test_bad_forms(client, arguments, status, message):
    answer = client.post("/v1/verify", **arguments)
    assert answer.status_code == status
    assert message in answer.json()["error"] and "\n" not in answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/verify", 405), ("GET", "/etc/passwd", 404)]
)
def test_elsewhere(client, method, path, status):
    answer = client.request(method, path)
    assert answer.status_code == status and answer.json()["error"]


def test_a_large_body_is_refused_with_and_without_its_length(verifier):
    with TestClient(create_app(verifier, Limits(max_body=1_000_000))) as client:
        assert post(client, ("A raccoon.", RACCOON)).status_code == 200
        answer = post(client, ("A raccoon.", RACCOON + b"\0" * 1_000_000))
        assert (answer.status_code, answer.json()["error"]) == (
            *(413, "the body has more than 1,000,000 bytes"),
        )

        def form():
            yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
            for _ in range(20):
                yield b"\0" * 100_000

        kind = {"content-type": "multipart/form-data; boundary=x"}
        assert client.post("/v1/verify", content=form(), headers=kind).status_code == 413


def test_the_token(verifier):
    with TestClient(create_app(verifier, token="secret")) as client:
        assert post(client, ("A raccoon.", RACCOON)).status_code == 401
        wrong = {"authorization": "Bearer secret2"}
        assert client.get("/v1/animals", headers=wrong).status_code == 401
        right = {"authorization": "Bearer secret"}
        assert post(client, ("A raccoon.", RACCOON), headers=right).status_code == 200
        assert client.get("/healthz").status_code == 200


class Slow:
    """A verifier that waits until it is told to go on."""

    def __init__(self, verifier):
        self.verifier, self.go = verifier, threading.Event()

    def verify_many(self, pairs):
        self.go.wait(30)
        return self.verifier.verify_many(pairs)


def test_too_many_requests_and_one_that_takes_too_long(verifier):
    slow = Slow(verifier)
    app = create_app(slow, Limits(max_requests=2, timeout=1.5))
    with TestClient(app) as client, ThreadPoolExecutor(2) as pool:
        running = [pool.submit(post, client, ("A raccoon.", RACCOON)) for _ in range(2)]
        time.sleep(0.5)
        started = time.monotonic()
        refused = post(client, ("A raccoon.", RACCOON))
        assert refused.status_code == 429 and refused.headers["retry-after"] == "1"
        assert time.monotonic() - started < 1
        for future in running:
            assert future.result().status_code == 503
            assert future.result().json()["error"] == "not answered within 1.5 s"
        slow.go.set()
        assert post(client, ("A raccoon.", RACCOON)).status_code == 200


def test_requests_side_by_side(client):
    pairs = [("A raccoon.", RACCOON), ("A cat.", RACCOON), ("No raccoon.", CAT)] * 6
    with ThreadPoolExecutor(9) as pool:
        answers = list(pool.map(lambda pair: post(client, pair).json()["verdict"], pairs))
    assert answers == [True, False, True] * 6


@contextmanager
def served(*arguments, **environment):
    """A service of its own process, with its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, ROOT / "service.py", "--port", str(port), *map(str, arguments)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                httpx.get(f"{address}/readyz")
                break
            except httpx.TransportError:
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.05)
        yield address, process
    finally:
        process.kill()
        process.wait()


def test_sigterm_answers_what_was_taken():
    chance = np.random.default_rng(0)
    photos = []
    for _ in range(64):
        buffer = io.BytesIO()
        Image.fromarray(chance.integers(0, 255, (224, 224, 3), np.uint8)).save(buffer, "PNG")
        photos.append(buffer.getvalue())
    with served() as (address, process), ThreadPoolExecutor(1) as pool:
        client = httpx.Client(base_url=address, timeout=60)
        future = pool.submit(post, client, *[(f"Cow {i}.", p) for i, p in enumerate(photos)])
        time.sleep(0.3)
        assert not future.done()
        process.send_signal(signal.SIGTERM)
        assert len(future.result().json()) == 64
        assert process.wait(timeout=30) in (0, -signal.SIGTERM)
        (line,) = process.stderr.read().splitlines()[-1:]
    row = json.loads(line)
    assert (row["method"], row["path"], row["status"]) == ("POST", "/v1/verify", 200)
    assert "Cow" not in line


@pytest.mark.slow
def test_far_more_than_it_can_carry():
    with served("--max-requests", 8) as (address, _):
        load = Load(int(address.rpartition(":")[2]), [("A raccoon.", RACCOON)])
        asyncio.run(load.open(rate=400, seconds=3))
    assert set(load.seconds) == {200, 429} and sum(map(len, load.seconds.values())) == 1200
    assert np.median(load.seconds[429]) < 0.05


@pytest.mark.slow
def test_fuzzed_from_its_own_description(tmp_path):
    pytest.importorskip("schemathesis")
    with served("--max-requests", 8) as (address, _):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli"),
                *("--config-file", ROOT / "tests/schemathesis.toml", "run"),
                *(f"{address}/openapi.json", "--max-examples", "40", "--seed", "1", "--no-color"),
            ],
            capture_output=True,
            text=True,
            cwd=tmp_path,  # where it keeps what it found
        )
    assert done.returncode == 0, done.stdout
