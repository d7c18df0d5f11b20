"""Sentences with BIO tags, fully or partly annotated, and their batches."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from common.errors import InputError
from ner.preprocess import LABELS, TYPES, Preprocess, Window, pad

ALL_TYPES = frozenset(TYPES)


@dataclass(frozen=True)
class Sentence:
    """Words, their BIO tags, and the entity types that the annotators looked for."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    annotated: frozenset[str] = ALL_TYPES


def read_jsonl(path: Path, annotated: frozenset[str] = ALL_TYPES) -> list[Sentence]:
    """Read JSON Lines with ``tokens`` and ``tags``.

    Args:
        path: The file.
        annotated: The types that this file annotates completely.

    Raises:
        InputError: If the file or a line cannot be read; the message names the line.
    """
    sentences, number = [], 0
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                number += 1
                row = json.loads(line)
                words, tags = row["tokens"], row["tags"]
                unknown = {tag[2:] for tag in tags} - ALL_TYPES - {""}
                if len(words) != len(tags) or (unknown and annotated == ALL_TYPES):
                    raise ValueError(f"tags that fit neither words nor types {sorted(unknown)}")
                if words:
                    sentences.append(Sentence(tuple(words), tuple(tags), annotated))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; expected a .jsonl file") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f'{path}, line {number}: {error}; expected {{"tokens": [...], "tags": [...]}}'
        ) from error
    return sentences


def read_partial(spec: str) -> list[Sentence]:
    """Read a partly annotated file, given as ``TYPES=PATH`` (``PER,LOC,ORG=wiki.jsonl``).

    Raises:
        InputError: If the specification names an unknown type or has no ``=``.
    """
    types, equals, path = spec.partition("=")
    annotated = frozenset(types.split(","))
    if not equals or not annotated <= ALL_TYPES:
        raise InputError(f"--partial {spec}: expected TYPES=FILE with types of {', '.join(TYPES)}")
    return read_jsonl(Path(path), annotated)


def allowed_labels(tag: str, annotated: frozenset[str]) -> np.ndarray:
    """The labels that a tag leaves possible, ``(L,)`` bool.

    A tag of an annotated type allows itself. Any other tag says only that the word belongs to
    none of the annotated types.
    """
    if tag[2:] in annotated:
        return np.array([label == tag for label in LABELS])
    return np.array([label == "O" or label[2:] not in annotated for label in LABELS])


@dataclass
class Batch:
    """Model inputs ``(B, T)`` and the labels that each position allows ``(B, T, L)``."""

    inputs: dict[str, torch.Tensor]
    allowed: torch.Tensor


class Batches:
    """Shuffled batches of sentences of similar length; the order comes from torch's seed.

    Args:
        sentences: The training data.
        preprocess: Words to windows.
        size: Sentences in a batch.
        recase: Probability of showing a sentence in lower case, and half of it in upper case,
            as people type them.
    """

    def __init__(
        self, sentences: Sequence[Sentence], preprocess: Preprocess, size: int, recase: float = 0.0
    ):
        self.sentences, self.preprocess = sentences, preprocess
        self.size, self.recase = size, recase
        self.allowed = {
            (tag, s.annotated): allowed_labels(tag, s.annotated)
            for s in sentences
            for tag in set(s.tags)
        }

    def __len__(self) -> int:
        return -(-len(self.sentences) // self.size)

    def __iter__(self) -> Iterator[Batch]:
        chance = random.Random(int(torch.randint(2**31, ()).item()))
        # Length with a little noise: batches differ from epoch to epoch and need little padding.
        order = sorted(self.sentences, key=lambda s: len(s.words) * chance.uniform(0.8, 1.2))
        batches = [order[i : i + self.size] for i in range(0, len(order), self.size)]
        chance.shuffle(batches)
        for batch in batches:
            yield self.collate(batch, chance)

    def collate(self, sentences: Sequence[Sentence], chance: random.Random) -> Batch:
        """One batch; long sentences become several rows."""
        rows: list[tuple[Window, Sentence]] = []
        for sentence in sentences:
            words = recase(sentence.words, self.recase, chance)
            rows += [(window, sentence) for window in self.preprocess.windows(words)]
        inputs = pad([window for window, _ in rows])
        allowed = np.zeros((*inputs["input_ids"].shape, len(LABELS)), bool)
        for row, (window, sentence) in enumerate(rows):
            for word, position in zip(window.words, window.positions, strict=True):
                allowed[row, position] = self.allowed[sentence.tags[word], sentence.annotated]
        return Batch({k: torch.from_numpy(v) for k, v in inputs.items()}, torch.from_numpy(allowed))


def recase(words: Sequence[str], probability: float, chance: random.Random) -> Sequence[str]:
    """Lower-case a sentence with ``probability``, upper-case it with half of that."""
    draw = chance.random()
    if draw < probability:
        return [word.lower() for word in words]
    if draw < 1.5 * probability:
        return [word.upper() for word in words]
    return words
