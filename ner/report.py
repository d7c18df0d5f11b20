"""Scores of entities and mentions."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from seqeval.metrics import classification_report
from seqeval.scheme import IOB2

from common.evaluation.bootstrap import bootstrap_interval
from ner.decode import decode, spans
from ner.labels import TYPES
from ner.windows import Forward, Preprocess, word_probabilities

if TYPE_CHECKING:
    from ner.data import Sentence


LENGTHS = (0, 10, 20, 30, 50, 10_000)  # words; borders of the table by sentence length


def predict_tags(
    model: Forward, preprocess: Preprocess, sentences: Sequence["Sentence"]
) -> list[list[str]]:
    """The most probable valid BIO tags of each sentence."""
    probabilities = word_probabilities(model, preprocess, [s.words for s in sentences])
    labels, entity = preprocess.config.heads["entity"], preprocess.config.slices["entity"]
    return [decode(rows[:, entity], labels) for rows in probabilities]


def mention_scores(
    model: Forward, preprocess: Preprocess, sentences: Sequence["Sentence"]
) -> dict[str, float]:
    """F1 of mentions, and of mentions with their polarity, where both are annotated."""
    probabilities = word_probabilities(model, preprocess, [s.words for s in sentences])
    config, counts = preprocess.config, np.zeros((2, 3), int)
    for sentence, rows in zip(sentences, probabilities, strict=True):
        tags = decode(rows[:, config.slices["mention"]], config.heads["mention"])
        denied = rows[:, config.slices["polarity"]][:, 1]
        found = {
            (first, stop, bool(denied[first:stop].mean() >= config.denied))
            for first, stop, _ in spans(tags)
            if "?" not in sentence.mentions[first:stop]
        }
        right = {
            (first, stop, sentence.mentions[first][1:] == "-")
            for first, stop, _ in spans(sentence.mentions)
        }
        for row, cut in enumerate((2, 3)):  # without and with polarity
            a, b = {item[:cut] for item in right}, {item[:cut] for item in found}
            counts[row] += len(a & b), len(b), len(a)
    return {"mention_f1": f1(counts[0]), "claim_f1": f1(counts[1])}


def count_matches(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> np.ndarray:
    """True positives, predicted and gold entities: ``(sentences, types, 3)``."""
    counts = np.zeros((len(gold), len(TYPES), 3), int)
    for i, tags in enumerate(zip(gold, predicted, strict=True)):
        right, found = (set(spans(t)) for t in tags)
        for column, entities in enumerate((right & found, found, right)):
            for *_, type_ in entities:
                counts[i, TYPES.index(type_), column] += 1
    return counts


def f1(counts: np.ndarray) -> float:
    """F1 from counts ``(..., 3)`` summed over all but the last axis; NaN without any entity."""
    right, found, gold = counts.reshape(-1, 3).sum(axis=0)
    return float(2 * right / (found + gold)) if found + gold else float("nan")


def report(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> dict[str, Any]:
    """All figures for one set of sentences.

    Args:
        gold: BIO tags of each sentence.
        predicted: The same from the model.

    Returns:
        Micro and macro scores with intervals, a row for each type, and F1 by sentence length.
    """
    scores = classification_report(
        list(map(list, gold)),
        list(map(list, predicted)),
        mode="strict",
        scheme=IOB2,
        output_dict=True,
        zero_division=0,
    )
    counts = count_matches(gold, predicted)

    def interval(part: np.ndarray) -> list[float]:
        low, high = bootstrap_interval(lambda drawn: f1(part[drawn]), len(part))
        return [round(low, 4), round(high, 4)]

    def row(name: str) -> dict[str, Any]:
        cells = scores[name]
        return {
            "precision": round(float(cells["precision"]), 4),
            "recall": round(float(cells["recall"]), 4),
            "f1": round(float(cells["f1-score"]), 4),
            "entities": int(cells["support"]),
        }

    present = [type_ for type_ in TYPES if type_ in scores]
    anim = TYPES.index("ANIM")
    lengths = np.array([len(tags) for tags in gold])
    by_length = []
    for low, high in pairwise(LENGTHS):
        inside = counts[(lengths > low) & (lengths <= high)]
        by_length.append(
            {
                "words": f"{low + 1}-{high}" if high < LENGTHS[-1] else f"over {low}",
                "sentences": len(inside),
                "ANIM": round(f1(inside[:, anim]), 4),
                "ANIM entities": int(inside[:, anim, 2].sum()),
                "micro": round(f1(inside), 4),
            }
        )
    return {
        "sentences": len(gold),
        "micro": row("micro avg") | {"f1_interval": interval(counts)},
        "macro": row("macro avg"),
        "types": {
            type_: row(type_) | {"f1_interval": interval(counts[:, [TYPES.index(type_)]])}
            for type_ in present
        },
        "by_length": by_length,
    }


def as_text(figures: dict[str, Any]) -> str:
    """The report as a table for the terminal."""
    lines = [f"{figures['sentences']} sentences", "", "         precision recall     F1  entities"]
    rows = {"micro": figures["micro"], "macro": figures["macro"], **figures["types"]}
    for name, row in rows.items():
        interval = "  [{:.3f}, {:.3f}]".format(*row["f1_interval"]) if "f1_interval" in row else ""
        lines.append(
            f"{name:8} {row['precision']:9.3f} {row['recall']:6.3f} {row['f1']:6.3f}"
            f" {row['entities']:9}{interval}"
        )
    lines += ["", "words     sentences  micro F1  ANIM F1  ANIM entities"]
    for row in figures["by_length"]:
        lines.append(
            f"{row['words']:9} {row['sentences']:9} {row['micro']:9.3f} {row['ANIM']:8.3f}"
            f" {row['ANIM entities']:14}"
        )
    return "\n".join(lines)
