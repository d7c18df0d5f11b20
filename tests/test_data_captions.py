"""Captions get careful silver labels, and are drawn so that rare animals come first."""

import json
import random
from collections import Counter

import pytest

from common.text.words import split_words
from data import captions
from data.captions import from_captions, silver
from matching.taxonomy import Taxonomy

TAXONOMY = Taxonomy.load()


def shown(row):
    """Words with their tags in one line."""
    rows = zip(row["tokens"], row["mentions"], strict=True)
    return " ".join(word + ("" if tag == "O" else f"/{tag}") for word, tag in rows)


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("Two dogs run on a beach", "Two dogs/B+ run on a beach"),
        ("A polar bear.", "A polar/B+ bear/I+ ."),
        ("A dog house in a yard", "A dog/? house in a yard"),
        ("A stuffed giraffe on a bed", "A stuffed giraffe/? on a bed"),
        ("A seal on a rock", "A seal/? on a rock"),
        ("There isn't a dog on the beach", "There is n't a dog/? on the beach"),
        ("A man with a bag", "A man with a bag"),
        ("A dog", "A dog/B+"),
        ("A dog, and a dog-shaped cloud", "A dog/? , and a dog-shaped/? cloud"),
        ("A running dog playing", "A running dog/B+ playing"),
        ("A cat brown as earth", "A cat/? brown as earth"),
    ],
)
def test_silver_labels_leave_open_what_is_in_doubt(caption, expected):
    assert shown(silver(caption, TAXONOMY)) == expected


def test_captions_are_drawn_with_and_without_animals(tmp_path):
    lines = [{"text": t} for t in ("A dog runs.", "A cat sits.", "A man.", "A man.", "A car.")]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, lines)))
    rows = from_captions(tmp_path, TAXONOMY, random.Random(0))
    assert sorted(shown(row) for row in rows) == sorted(
        ["A dog/B+ runs .", "A cat/B+ sits .", "A man .", "A car ."]
    )


@pytest.mark.parametrize(
    ("caption", "looked"),
    [
        ("Two dogs run.", True),
        ("A man.", True),
        ("A dog house.", True),
        ("A plush dog.", False),
        ("There is no dog.", False),
        ("A man without a hat.", False),
    ],
)
def test_nobody_looked_for_cues_where_the_caption_is_doubtful(caption, looked):
    row = silver(caption, TAXONOMY)
    assert row.get("cues") == ([0] * len(split_words(caption)) if looked else None)


def write(folder, *texts):
    (folder / "x.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))


def test_no_animal_is_shown_too_often(tmp_path, monkeypatch):
    monkeypatch.setattr(captions, "SEEN", 9)
    dogs, cats = [f"A dog sees {i}." for i in range(40)], [f"A cat and dog {i}." for i in range(3)]
    write(tmp_path, *dogs, *cats)
    rows = from_captions(tmp_path, TAXONOMY, random.Random(0))
    counts = Counter(word for row in rows for word in row["tokens"] if word in ("dog", "cat"))
    assert counts["cat"] == 3 and 10 <= counts["dog"] <= 13


def test_captions_with_and_without_animals_have_their_limits(tmp_path, monkeypatch):
    monkeypatch.setattr(captions, "CAPTIONS", {True: 4, False: 2})
    write(tmp_path, *(f"A dog sits {i}." for i in range(9)), *(f"A man {i}." for i in range(9)))
    rows = from_captions(tmp_path, TAXONOMY, random.Random(0))
    assert ["dog" in row["tokens"] for row in rows] == [True] * 4 + [False] * 2
    assert from_captions(tmp_path / "none", TAXONOMY, random.Random(0)) == []


def test_most_captions_that_mark_nothing_are_left_out(tmp_path):
    write(tmp_path, *(f"A dog house {i}." for i in range(300)))
    rows = from_captions(tmp_path, TAXONOMY, random.Random(0))
    assert len(rows) == pytest.approx(60, abs=25)
