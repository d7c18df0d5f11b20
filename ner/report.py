"""Scores of entities, mentions and claims."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from seqeval.metrics import classification_report
from seqeval.scheme import IOB2

from common.errors import InputError
from common.evaluation.bootstrap import bootstrap, estimates
from common.evaluation.metrics import f1
from matching.claim import Claim
from matching.taxonomy import Name
from ner.decode import decode, spans
from ner.labels import STATUS, TYPES
from ner.windows import Forward, Preprocess, word_probabilities

if TYPE_CHECKING:  # torch takes seconds to import
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
    """F1 of mentions, and of mentions with their status, where both are annotated."""
    probabilities = word_probabilities(model, preprocess, [s.words for s in sentences])
    labels, part = preprocess.config.heads["claim"], preprocess.config.slices["claim"]
    status = {type_: sign for sign, type_ in STATUS.items()}
    counts = np.zeros((2, 3), int)
    for sentence, rows in zip(sentences, probabilities, strict=True):
        annotated = sentence.mentions
        found = {
            (first, stop, status[type_])
            for first, stop, type_ in spans(decode(rows[:, part], labels))
            if type_ != "cue" and "?" not in annotated[first:stop]
        }
        right = {(first, stop, annotated[first][1:]) for first, stop, _ in spans(annotated)}
        for row, cut in enumerate((2, 3)):  # without and with the status
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


def report(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> dict[str, Any]:
    """All figures for one set of sentences, from their true and predicted BIO tags.

    Returns:
        Micro and macro scores with intervals, a row for each type, and F1 by sentence length.
    """
    tags = [list(map(list, rows)) for rows in (gold, predicted)]
    scores = classification_report(
        *tags, mode="strict", scheme=IOB2, output_dict=True, zero_division=0
    )
    counts = count_matches(gold, predicted)
    present = [type_ for type_ in TYPES if type_ in scores]
    columns = {type_: [TYPES.index(type_)] for type_ in present}

    def macro(part: np.ndarray) -> float:
        return float(np.mean([np.nan_to_num(f1(part[:, columns[type_]])) for type_ in present]))

    def row(name: str, statistic: Callable[[np.ndarray], float]) -> dict[str, Any]:
        cells = scores[name]
        estimate = bootstrap(lambda drawn: statistic(counts[drawn]), len(counts))
        return {
            "precision": round(float(cells["precision"]), 4),
            "recall": round(float(cells["recall"]), 4),
            "f1": replace(estimate, value=float(cells["f1-score"])).to_json(),
            "entities": int(cells["support"]),
        }

    lengths = np.array([len(tags) for tags in gold])
    by_length = []
    for low, high in pairwise(LENGTHS):
        inside = counts[(lengths > low) & (lengths <= high)]
        animals = inside[:, TYPES.index("ANIM")]
        by_length.append(
            {
                "words": f"{low + 1}-{high}" if high < LENGTHS[-1] else f"over {low}",
                "sentences": len(inside),
                "micro": round(f1(inside), 4),
                "ANIM": round(f1(animals), 4),
                "ANIM entities": int(animals[:, 2].sum()),
            }
        )
    by_type = {
        type_: row(type_, lambda part, type_=type_: f1(part[:, columns[type_]]))
        for type_ in present
    }
    rows = {"micro": row("micro avg", f1), "macro": row("macro avg", macro), "types": by_type}
    return {"sentences": len(gold), **rows, "by_length": by_length}


def report_gazetteer(
    preprocess: Preprocess, sentences: Sequence["Sentence"]
) -> dict[str, dict[str, float]]:
    """Return F1 on ANIM of tagging every name that the taxonomy lists."""
    tags = [
        ["O" if not mark else "B-ANIM" if mark % 2 else "I-ANIM" for mark in marks]
        for marks in (preprocess.names(sentence.words) for sentence in sentences)
    ]
    counts = count_matches([s.tags for s in sentences], tags)[:, TYPES.index("ANIM")]
    return estimates({"ANIM_f1": lambda drawn: f1(counts[drawn])}, len(counts))


Spans = set[tuple[int, int, bool]]  # start, end, negated


@dataclass(frozen=True)
class ClaimExample:
    """A text with its claims; ``photos`` says of which classes it is true."""

    text: str
    category: str
    split: str
    claims: list[dict[str, Any]]
    photos: dict[str, bool]

    @property
    def spans(self) -> Spans:
        """The claims as `count_claims` compares them."""
        return {(c["start"], c["end"], c["negated"]) for c in self.claims}


def read_claims(path: Path) -> list[ClaimExample]:
    """Read annotated texts, a JSON object a line.

    Raises:
        InputError: If the file cannot be read.
    """
    try:
        return [ClaimExample(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{path}: {error}") from error


def read_captions(path: Path, folder: Path) -> list[ClaimExample]:
    """Read the annotations of texts that may not be copied.

    Args:
        path: ``{"source", "line", "claims": [[start, end, negated], ...]}``, a JSON object a line.
        folder: Where ``SOURCE.jsonl`` has the text, in a line counted from 0.

    Raises:
        InputError: If a file cannot be read.
    """
    sources: dict[str, list[str]] = {}
    examples = []
    try:
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            name = row["source"]
            if name not in sources:
                sources[name] = (folder / f"{name}.jsonl").read_text("utf-8").split("\n")
            text = json.loads(sources[name][row["line"]])["text"]
            claims = [dict(zip(("start", "end", "negated"), c, strict=True)) for c in row["claims"]]
            examples.append(ClaimExample(text, name, "report", claims, {}))
    except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
        raise InputError(f"{path}: {error}") from error
    return examples


def claim_spans(claims: Iterable[Claim | Name]) -> Spans:
    """Return claims, or listed names taken for affirmed ones, as `count_claims` compares them."""
    return {(c.start, c.end, getattr(c, "negated", False)) for c in claims}


def count_claims(gold: Sequence[Spans], found: Sequence[Spans]) -> np.ndarray:
    """Return right, found and gold: of claims, then of mentions without polarity, ``(N, 6)``."""
    rows = []
    for pair in zip(gold, found, strict=True):
        bare = [{span[:2] for span in part} for part in pair]
        rows.append([len(part) for a, b in (pair, bare) for part in (a & b, b, a)])
    return np.array(rows)


def report_claims(gold: Sequence[Spans], found: Sequence[Spans]) -> dict[str, Any]:
    """Return F1 of claims (span and polarity) and of mentions, and polarity where found."""
    rows = count_claims(gold, found)
    statistics = {
        "claims_f1": lambda drawn: f1(rows[drawn, :3]),
        "mentions_f1": lambda drawn: f1(rows[drawn, 3:]),
        "polarity": lambda drawn: rows[drawn, 0].sum() / max(1, rows[drawn, 3].sum()),
    }
    return {"texts": len(gold), **estimates(statistics, len(gold))}


def report_halves(
    examples: Sequence[ClaimExample], read: Callable[[list[str]], Iterable[Iterable[Claim | Name]]]
) -> dict[str, dict[str, Any]]:
    """Return `report_claims` of what ``read`` finds in each half of the texts."""
    halves = {}
    for half in sorted({example.split for example in examples}):
        part = [example for example in examples if example.split == half]
        found = list(map(claim_spans, read([example.text for example in part])))
        halves[half] = report_claims([example.spans for example in part], found)
    return halves
