"""Streams of pairs, photos from anywhere, and many threads, with the models that ship."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import common.images.batches
from common.errors import InputError
from common.pairs.stream import CHUNK
from common.paths import ROOT
from pipeline import Answer, Verifier

RACCOON = ROOT / "data/samples/raccoon.jpg"
CAT = ROOT / "data/samples/cat.jpg"


@pytest.fixture(scope="module")
def verifier():
    return Verifier.load()


SOURCES = {
    "path": RACCOON,
    "text": str(RACCOON),
    "bytes": RACCOON.read_bytes(),
    "image": Image.open(RACCOON),
    "array": np.asarray(Image.open(RACCOON)),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_photos_from_anywhere(verifier, kind):
    answer = verifier.verify("There is a raccoon.", SOURCES[kind])
    assert isinstance(answer, Answer) and answer.verdict.value is True
    assert answer.image == (str(RACCOON) if kind in ("path", "text") else None)
    assert answer.prediction.known and answer.to_json()["answer"] == "True"


def test_a_grey_array_and_an_image_that_is_used_again(verifier):
    image = Image.open(RACCOON)
    verifier.verify("A raccoon.", image)
    grey = np.asarray(image.convert("L"))
    assert grey.ndim == 2 and verifier.verify("A raccoon.", grey).verdict.value is True


@pytest.mark.parametrize(
    ("text", "image", "message"),
    [
        ("", RACCOON, "the text is empty; expected a sentence"),
        ("a cow \ud800", RACCOON, "the text is not UTF-8 text"),
        ("A cow.", "", "the image is empty; expected a path"),
        ("A cow.", "none.jpg", "none.jpg: no such file"),
        ("A cow.", b"no image", "the image: not an image that can be read"),
        ("A cow.", RACCOON.read_bytes()[:5000], "the image: damaged image"),
        ("A cow.", np.zeros((4, 4, 3)), "an array of float64 (4, 4, 3); expected uint8 (H, W, 3)"),
        ("A cow.", np.zeros((4, 4, 2), np.uint8), "an array of uint8 (4, 4, 2)"),
    ],
)
def test_what_cannot_be_answered(verifier, text, image, message):
    with pytest.raises(InputError) as caught:
        verifier.verify(text, image)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    (answer,) = verifier.verify_many([(text, image)])
    assert answer.error == str(caught.value) and answer.answer is None


def test_each_photo_and_text_is_read_once(verifier, monkeypatch):
    opened, read = [], []
    load_image, read_texts = common.images.batches.load_image, verifier.extractor.read

    monkeypatch.setattr(
        common.images.batches,
        "load_image",
        lambda source: opened.append(Path(source).name) or load_image(source),
    )
    monkeypatch.setattr(
        verifier.extractor, "read", lambda texts: read.extend(texts) or read_texts(texts)
    )
    texts = ["A raccoon.", "A cat.", "No cat."]
    pairs = [(texts[i % 3], ("raccoon.jpg", "cat.jpg")[i % 2]) for i in range(5 * CHUNK)]
    answers = list(verifier.verify_many(pairs, RACCOON.parent))
    assert [(answer.text, answer.image) for answer in answers] == pairs
    right = {("A raccoon.", "raccoon.jpg"), ("A cat.", "cat.jpg"), ("No cat.", "raccoon.jpg")}
    assert all(a.verdict.value is ((a.text, a.image) in right) for a in answers)
    assert sorted(opened) == ["cat.jpg", "raccoon.jpg"] and sorted(read) == sorted(texts)


def test_a_stream_has_no_end(verifier):
    endless = (("A raccoon.", str(RACCOON)) for _ in count())
    answers = verifier.verify_many(endless)
    assert [next(answers).answer for _ in range(3 * CHUNK)] == ["True"] * 3 * CHUNK
    answers.close()


def test_company_changes_nothing(verifier):
    """An answer does not depend on what else is in the batch, to the last digit."""
    texts = ["A raccoon.", "No cat, but " + "a dog and " * 40 + "a cow.", "It's raining cats."]
    pairs = [(text, image) for text in texts for image in (RACCOON, CAT)]
    alone = [verifier.verify(*pair).to_json() for pair in pairs]
    together = [answer.to_json() for answer in verifier.verify_many(pairs)]
    assert together == alone


def test_threads(verifier):
    pairs = [("A raccoon.", RACCOON), ("A cat.", RACCOON), ("No raccoon.", CAT)] * 8
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda pair: verifier.verify(*pair).verdict.value, pairs))
    assert found == [True, False, True] * 8
