"""The HTTP service with the models that ship: answers, limits, hostile uploads, a graceful stop."""

import asyncio
import http.client
import io
import json
import signal
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi")

import httpx
from fastapi.testclient import TestClient
from served import served

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
    assert answer.json() == {"error": "the text is empty; expected a sentence"}


def test_animals(client):
    names = client.get("/v1/animals").json()
    assert len(names) == 92 and "orca" in names["killer_whale"]


def test_the_example_of_the_description_has_every_field(client):
    route = client.get("/openapi.json").json()["paths"]["/v1/verify"]["post"]
    example = route["responses"]["200"]["content"]["application/json"]["example"]
    answer = post(client, ("There is a raccoon, but no cow.", RACCOON)).json()
    for names in ((), ("claims", 0), ("claims", 1), ("prediction",), ("prediction", "concept")):
        shown, real = example, answer
        for name in names:
            shown, real = shown[name], real[name]
        assert list(shown) == list(real)
    assert [claim["cue"] for claim in example["claims"]] == [None, "no"]
    assert route["responses"].keys() >= {"400", "401", "403", "413", "422", "429", "500", "503"}


def test_health_and_metrics(client):
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}
    assert client.head("/healthz").status_code == client.head("/readyz").status_code == 200
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


def test_requests_side_by_side(client):
    pairs = [("A raccoon.", RACCOON), ("A cat.", RACCOON), ("No raccoon.", CAT)] * 6
    with ThreadPoolExecutor(9) as pool:
        answers = list(pool.map(lambda pair: post(client, pair).json()["verdict"], pairs))
    assert answers == [True, False, True] * 6


def test_sigterm_answers_what_was_taken():
    with served("service.py") as (url, process, lines):
        connection = http.client.HTTPConnection(url.removeprefix("http://"))
        form = httpx.Request(
            "POST", url, data={"text": "A raccoon."}, files={"image": ("photo.jpg", RACCOON)}
        )
        body = form.read()
        connection.putrequest("POST", "/v1/verify")
        for name in ("content-type", "content-length"):
            connection.putheader(name, form.headers[name])
        connection.endheaders(body[:1000])
        while "faunacheck_requests_in_flight 2.0" not in httpx.get(f"{url}/metrics").text:
            pass  # until the service has the start of it
        process.send_signal(signal.SIGTERM)
        with pytest.raises(httpx.ConnectError):
            while True:  # until it takes no more
                httpx.get(f"{url}/healthz")
        connection.send(body[1000:])
        answer = connection.getresponse()
        assert answer.status == 200 and json.load(answer)["verdict"] is True
        connection.close()
        assert process.wait(timeout=30) in (0, -signal.SIGTERM)
    row = json.loads(lines[-1])
    assert (row["method"], row["path"], row["status"]) == ("POST", "/v1/verify", 200)
    assert "raccoon" not in lines[-1] and "photo.jpg" not in lines[-1]


@pytest.mark.slow
def test_far_more_than_it_can_carry():
    with served("service.py", "--max-requests", 8) as (address, *_):
        load = Load(int(address.rpartition(":")[2]), [("A raccoon.", RACCOON)])
        asyncio.run(load.open(rate=400, seconds=3))
    assert set(load.seconds) == {200, 429} and sum(map(len, load.seconds.values())) == 1200
    assert np.median(load.seconds[429]) < 0.05


@pytest.mark.slow
def test_fuzzed_from_its_own_description(tmp_path):
    pytest.importorskip("schemathesis")
    with served("service.py", "--max-requests", 8) as (address, *_):
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
