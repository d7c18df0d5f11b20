"""The report's own counts equal seqeval's strict scores."""

import json
import random
from types import SimpleNamespace

import numpy as np
import pytest

from common.errors import InputError
from common.evaluation.metrics import f1
from ner import report as reporting
from ner.config import ModelConfig
from ner.data import NO_TYPES, Sentence
from ner.decode import decode
from ner.labels import HEADS, TYPES
from ner.report import (
    count_claims,
    count_matches,
    mention_scores,
    read_captions,
    report,
    report_claims,
)


def random_tags(chance, length):
    rows = np.random.default_rng(chance.randint(0, 9**9)).random((length, len(HEADS["entity"])))
    rows[:, 0] += 0.5
    return decode(rows, HEADS["entity"])


def test_counts_equal_seqeval():
    chance = random.Random(0)
    gold = [random_tags(chance, 12) for _ in range(40)]
    found = [tags if chance.random() < 0.5 else random_tags(chance, 12) for tags in gold]
    figures = report(gold, found)
    counts = count_matches(gold, found)
    assert f1(counts) == pytest.approx(figures["micro"]["f1"]["value"], abs=1e-4)
    for type_, row in figures["types"].items():
        assert f1(counts[:, TYPES.index(type_)]) == pytest.approx(row["f1"]["value"], abs=1e-4)
    for row in (figures["micro"], figures["macro"]):
        assert row["f1"]["low"] < row["f1"]["value"] < row["f1"]["high"]
    mean = sum(row["f1"]["value"] for row in figures["types"].values()) / len(figures["types"])
    assert figures["macro"]["f1"]["value"] == pytest.approx(mean, abs=1e-3)


def test_a_wrong_border_is_wrong():
    gold, found = [["B-ANIM", "I-ANIM", "O"]], [["B-ANIM", "O", "O"]]
    assert report(gold, found)["micro"]["f1"]["value"] == 0


def test_scores_by_length():
    gold = [["B-ANIM"] * 5, ["B-ANIM"] * 60]
    figures = report(gold, [["B-ANIM"] * 5, ["O"] * 60])
    rows = {row["words"]: row["ANIM"] for row in figures["by_length"]}
    assert rows["1-10"] == 1.0 and rows["over 50"] == 0.0


def test_claims_need_both_borders_and_polarity():
    gold = [{(0, 3, False), (8, 12, True)}, set(), {(4, 7, False)}]
    found = [{(0, 3, True), (8, 12, True)}, {(1, 4, False)}, {(4, 8, False)}]
    assert count_claims(gold, found).tolist() == [
        [1, 2, 2, 2, 2, 2],
        [0, 1, 0, 0, 1, 0],
        [0, 1, 1, 0, 1, 1],
    ]
    scores = report_claims(gold, found)
    assert scores["texts"] == 3
    assert scores["claims_f1"]["value"] == pytest.approx(2 / 7, abs=1e-4)
    assert scores["mentions_f1"]["value"] == pytest.approx(4 / 7, abs=1e-4)
    assert scores["polarity"]["value"] == 0.5


def test_mentions_and_their_status_are_scored_where_somebody_looked(monkeypatch):
    """Of 3 mentions all are found, 2 with their status; one that is found is none."""
    rows = [  # what is annotated, what is found
        ("O B+ O", "O B-denied B-cue"),
        ("B= I=", "B-referring I-referring"),
        ("? O B-", "B-affirmed B-cue B-denied"),
        ("O O", "B-affirmed O"),
    ]
    config = ModelConfig()
    tables, sentences = [], []
    for annotated, found in rows:
        mentions = tuple(annotated.split())
        words = ("x",) * len(mentions)
        sentences.append(Sentence(words, ("O",) * len(words), NO_TYPES, mentions))
        table = np.zeros((len(words), len(config.outputs)))
        for row, label in zip(table, found.split(), strict=True):
            row[config.outputs.index(f"claim:{label}")] = 1
        tables.append(table)
    monkeypatch.setattr(reporting, "word_probabilities", lambda *_: tables)
    scores = mention_scores(None, SimpleNamespace(config=config), sentences)
    assert scores == pytest.approx({"mention_f1": 6 / 7, "claim_f1": 4 / 7})


def test_captions_are_read_by_their_place(tmp_path):
    texts = ["A cow.", "A line\u2028of two", "No dogs run."]
    rows = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
    (tmp_path / "some.jsonl").write_text(rows, "utf-8")
    path = tmp_path / "captions.jsonl"
    path.write_text('{"source": "some", "line": 2, "claims": [[3, 7, true]]}\n', "utf-8")
    (example,) = read_captions(path, tmp_path)
    assert (example.text, example.spans) == ("No dogs run.", {(3, 7, True)})
    path.write_text('{"source": "some", "line": 9, "claims": []}\n', "utf-8")
    with pytest.raises(InputError, match=r"captions\.jsonl"):
        read_captions(path, tmp_path)
