"""The report's own counts equal seqeval's strict scores."""

import random

import pytest

from ner.decode import decode
from ner.labels import HEADS, TYPES
from ner.report import count_matches, f1, report


def random_tags(chance, length):
    import numpy as np

    rows = np.random.default_rng(chance.randint(0, 9**9)).random((length, len(HEADS["entity"])))
    rows[:, 0] += 0.5
    return decode(rows, HEADS["entity"])


def test_counts_equal_seqeval():
    chance = random.Random(0)
    gold = [random_tags(chance, 12) for _ in range(40)]
    found = [tags if chance.random() < 0.5 else random_tags(chance, 12) for tags in gold]
    figures = report(gold, found)
    counts = count_matches(gold, found)
    assert f1(counts) == pytest.approx(figures["micro"]["f1"], abs=1e-4)
    for type_, row in figures["types"].items():
        assert f1(counts[:, TYPES.index(type_)]) == pytest.approx(row["f1"], abs=1e-4)
    low, high = figures["micro"]["f1_interval"]
    assert low < figures["micro"]["f1"] < high


def test_a_wrong_border_is_wrong():
    gold, found = [["B-ANIM", "I-ANIM", "O"]], [["B-ANIM", "O", "O"]]
    assert report(gold, found)["micro"]["f1"] == 0


def test_scores_by_length():
    gold = [["B-ANIM"] * 5, ["B-ANIM"] * 60]
    figures = report(gold, [["B-ANIM"] * 5, ["O"] * 60])
    rows = {row["words"]: row["ANIM"] for row in figures["by_length"]}
    assert rows["1-10"] == 1.0 and rows["over 50"] == 0.0
