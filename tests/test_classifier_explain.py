"""Explanation pictures: the map lies where the animal is, the text stays inside the picture."""

import json

import numpy as np
import pytest
from conftest import error_of, script
from PIL import Image

from classifier.explain import LONGEST, _wrap, activation_overlay, draw_explanation
from common.paths import ROOT

RACCOON = ROOT / "data/samples/raccoon.jpg"
WHITE = (255, 255, 255)


def test_the_overlay_glows_where_the_evidence_is():
    grey = Image.new("RGB", (200, 100), (120, 120, 120))
    evidence = np.full((4, 4), -1.0)
    evidence[0, 0] = 5.0
    overlay = np.asarray(activation_overlay(grey, (50, 0, 150, 100), evidence), int)
    assert overlay.shape == (100, 200, 3)
    assert overlay[8, 58, 0] > 150 > overlay[8, 58, 2]  # hot
    assert (overlay[90, 140] == 120).all()  # seen, but no evidence
    assert overlay[50, 20].max() < 60  # not seen
    assert (np.asarray(grey) == 120).all()


def test_no_evidence_leaves_the_photo_as_it_is():
    grey = Image.new("RGB", (40, 40), (120, 120, 120))
    overlay = activation_overlay(grey, (0, 0, 40, 40), np.full((3, 3), -2.0))
    assert list(overlay.getdata()) == list(grey.getdata())


@pytest.mark.parametrize("size", [(420, 420), (5000, 40), (40, 5000), (1, 1)])
def test_any_photo_and_any_text_fit(size):
    photo = Image.new("RGB", size, (10, 120, 30))
    bars = [("killer_whale", 0.7), ("otter", 0.3)]
    lines = ["a long sentence about whales " * 20, "Donaudampfschifffahrt" * 30, ""]
    short = draw_explanation(photo, bars)
    full = draw_explanation(photo, bars, "True", lines)
    assert full.width == short.width and full.height > short.height + 200
    pixels = np.asarray(full)
    assert (pixels[:, -15:] == 255).all() and (pixels[-15:] == 255).all()  # margins stay empty
    assert (pixels != 255).any(axis=2).any(axis=1).sum() > 100


class Font:
    """Letters of ten pixels, w of twenty; counts how often it is asked."""

    def __init__(self):
        self.calls = 0

    def getlength(self, text):
        self.calls += 1
        return 10 * (len(text) + text.count("w"))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("one two", ["one two"]),
        ("one two three", ["one two", "three"]),
        ("abcdefghijkl", ["abcdefgh", "ijkl"]),
        ("wwwwwwww", ["wwww", "wwww"]),
        ("ab cdefghijklm no", ["ab", "cdefghij", "klm no"]),
    ],
)
def test_lines_are_broken_between_words_or_where_they_are_full(text, lines):
    assert list(_wrap(text, Font(), 80)) == lines


@pytest.mark.parametrize("text", ["x" * 100_000, "w" * LONGEST, "ab " * 50_000])
def test_a_long_text_costs_little(text):
    font = Font()
    lines = list(_wrap(text, font, 80))
    assert sum(map(len, lines)) <= LONGEST + 1 and max(map(len, lines)) <= 8
    assert lines[-1].endswith("…") == (len(text) > LONGEST)
    assert font.calls < 3 * LONGEST


def test_longer_bars_for_higher_probabilities():
    photo = Image.new("RGB", (100, 100))

    def ink(probability):
        pixels = np.asarray(draw_explanation(photo, [("cow", probability)]), int)
        return (pixels.max(axis=2) < 60)[:, 500:].sum()

    assert ink(0.1) < ink(0.5) < ink(0.9)


def test_the_network_runs_once_for_a_picture(monkeypatch):
    from classifier.predictor import PhotoClassifier
    from common.images.load import load_image
    from common.runtime.session import Session

    classifier, asked = PhotoClassifier.load(), []
    ask = Session.__call__
    monkeypatch.setattr(
        Session, "__call__", lambda self, *given: asked.append(given[1:]) or ask(self, *given)
    )
    classifier.explain(load_image(RACCOON))
    assert asked == [(["logits", "maps"],)]


def test_both_commands_write_a_picture(tmp_path):
    for name, arguments in {
        "pair": ("pipeline.py", "--text", "A raccoon, but no cow."),
        "photo": ("classifier/inference.py",),
    }.items():
        file = tmp_path / f"{name}.png"
        plain = script(*arguments, "--image", RACCOON)
        done = script(*arguments, "--image", RACCOON, "--explain", file)
        assert (done.stdout, done.stderr) == (plain.stdout, "")
        with Image.open(file) as picture:
            assert picture.format == "PNG" and picture.width > 800 and picture.height > 300


def test_maps_average_to_the_logits():
    from classifier.predictor import PhotoClassifier
    from common.images.load import load_image

    classifier = PhotoClassifier.load()
    inputs = classifier.config.preprocess(load_image(RACCOON))[None]
    logits, maps = classifier.with_maps(inputs)
    assert (logits == classifier.model(inputs)).all()
    assert maps.shape[:2] == logits.shape and maps.shape[2] == maps.shape[3] > 4
    named = [name != "not_animal" for name in classifier.config.classes]
    own = maps.mean(axis=(2, 3))
    assert own[:, named] == pytest.approx(logits[:, named], abs=1e-3)
    assert (logits >= own - 1e-3).all()  # ImageNet's head adds to no animal's


@pytest.mark.parametrize(
    ("command", "arguments", "message"),
    [
        ("classifier/inference.py", ("--explain", "why.jpg"), "expected a file name that ends in"),
        ("classifier/inference.py", ("--explain", "/nowhere/why.png"), "/nowhere/why.png"),
        ("pipeline.py", ("--text", "A cow.", "--explain", "/nowhere/why.png"), "/nowhere/why.png"),
    ],
)
def test_where_no_picture_can_be_written(command, arguments, message):
    assert message in error_of(script(command, "--image", RACCOON, *arguments, check=False))


def test_one_picture_for_one_photo(tmp_path):
    file = tmp_path / "why.png"
    arguments = ("--image", RACCOON, RACCOON, "--explain", file)
    done = script("classifier/inference.py", *arguments, check=False)
    assert "one picture for one photo, not for 2" in error_of(done)
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text(json.dumps({"text": "A cow.", "image": str(RACCOON)}))
    batch = ("--pairs", pairs, "--output", tmp_path / "out.csv", "--explain", file)
    assert "without --text, --image, --explain" in error_of(
        script("pipeline.py", *batch, check=False)
    )
    assert not file.exists()
