"""Decode the model's probabilities into entities and mentions."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from common.text.words import Word
from matching.claim import Mention
from ner.config import ModelConfig

_SENTENCE_END = re.compile(r"[.!?;\n]")


@dataclass(frozen=True)
class Entity:
    """A span of the text with its type; ``score`` is the mean probability of its labels."""

    text: str
    label: str
    start: int
    end: int
    score: float


def decode(probabilities: np.ndarray, labels: Sequence[str]) -> list[str]:
    """Return the most probable label sequence that is valid BIO (Viterbi, hard transitions).

    Args:
        probabilities: ``(W, L)``, a row for each word.
        labels: The L labels.

    Returns:
        W of the ``labels``; ``I-X`` follows only ``B-X`` or ``I-X``.
    """
    if not len(probabilities):
        return []
    barred = np.array(  # (from, to)
        [[to[0] == "I" and start[1:] != to[1:] for to in labels] for start in labels]
    )
    cost = np.where(barred, -np.inf, 0.0)
    emit = np.log(np.maximum(probabilities, 1e-12))
    score = np.where([label[0] == "I" for label in labels], -np.inf, emit[0])
    back = np.zeros(emit.shape, np.int64)
    for i in range(1, len(emit)):
        paths = score[:, None] + cost
        back[i] = paths.argmax(axis=0)
        score = paths.max(axis=0) + emit[i]
    best = [int(score.argmax())]
    for i in range(len(emit) - 1, 0, -1):
        best.append(int(back[i, best[-1]]))
    return [labels[i] for i in reversed(best)]


def spans(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """Return the entities of a valid BIO sequence as ``(first word, last word + 1, type)``."""
    found, begin = [], None
    for i, tag in enumerate([*tags, "O"]):
        if begin is not None and tag[0] != "I":
            found.append((begin, i, tags[begin][2:]))
            begin = None
        if tag[0] == "B":
            begin = i
    return found


def entities(
    text: str, words: Sequence[Word], probabilities: np.ndarray, config: ModelConfig
) -> list[Entity]:
    """Decode the entity head for a text and its words, from ``(W, L)`` of all heads."""
    return [
        Entity(text[start:end], type_, start, end, score)
        for start, end, type_, score, _ in _decoded(words, probabilities, config, "entity")
    ]


def mentions(
    text: str, words: Sequence[Word], probabilities: np.ndarray, config: ModelConfig
) -> list[Mention]:
    """Decode the mention, polarity and cue heads likewise."""
    denied = probabilities[:, config.slices["polarity"]][:, 1]
    cues = _cues(words, probabilities[:, config.slices["cue"]][:, 1] >= config.cue)
    found = []
    for start, end, *_, span in _decoded(words, probabilities, config, "mention"):
        is_denied, cue = bool(denied[span].mean() >= config.denied), _cue_of(text, cues, start)
        found.append(Mention(text[start:end], start, end, is_denied, cue))
    return found


def _cues(words: Sequence[Word], is_cue: np.ndarray) -> list[tuple[int, int]]:
    """Return the character spans of cues; neighbouring words are one, also in two lines."""
    found: list[tuple[int, int]] = []
    last = None  # the cue before
    for i in np.flatnonzero(is_cue):
        joined = last is not None and all(word.text == "\n" for word in words[last + 1 : i])
        begin = found.pop()[0] if joined else words[i].start
        found.append((begin, words[i].end))
        last = i
    return found


def _cue_of(text: str, cues: Sequence[tuple[int, int]], start: int) -> tuple[int, int] | None:
    """Return the cue before a mention in its sentence ("no cow"), else the one behind it."""
    i = bisect_left(cues, (start,))
    before = cues[i - 1] if i else None
    behind = cues[i] if i < len(cues) else None
    if before and not _SENTENCE_END.search(text, before[1], start):
        return before
    return behind or before


def _decoded(
    words: Sequence[Word], probabilities: np.ndarray, config: ModelConfig, head: str
) -> Iterator[tuple[int, int, str, float, slice]]:
    """Yield a head's spans: character offsets, type, mean probability, and the slice of words."""
    labels, rows = config.heads[head], probabilities[:, config.slices[head]]
    path = decode(rows, labels)
    for first, stop, type_ in spans(path):
        score = float(np.mean([rows[i, labels.index(path[i])] for i in range(first, stop)]))
        yield words[first].start, words[stop - 1].end, type_, score, slice(first, stop)
