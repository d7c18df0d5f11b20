"""Sentences with BIO tags, fully or partly annotated, and their batches."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from common.errors import InputError
from ner.preprocess import LABELS, TYPES, Preprocess, pad, spans

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


def read_names(path: Path) -> dict[str, list[str]]:
    """Read names by entity type, a JSON object such as ``{"ANIM": ["red fox", ...]}``.

    Raises:
        InputError: If the file cannot be read or has another form.
    """
    try:
        names = json.loads(path.read_text(encoding="utf-8"))
        if not names.keys() <= ALL_TYPES or not all(map(all, names.values())):
            raise ValueError("not all keys are entity types")
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise InputError(f'{path}: {error}; expected {{"ANIM": ["red fox", ...]}}') from error
    return names


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


@dataclass(frozen=True)
class Augmentation:
    """Random changes to training sentences that leave the tags right.

    Attributes:
        recase: Share of sentences shown in lower case; half as many are shown in capitals.
        mask: Share of sub-words hidden behind ``[MASK]``, so that context has to tell.
        replace: Share of mentions replaced by another name of their type (Dai & Adel, "An Analysis
            of Simple Data Augmentation for NER", COLING 2020).
        names: For each type the names to choose from.
    """

    recase: float = 0.0
    mask: float = 0.0
    replace: float = 0.0
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __call__(self, sentence: Sentence, chance: random.Random) -> Sentence:
        """A changed copy of a sentence."""
        words, tags = list(sentence.words), list(sentence.tags)
        for first, stop, type_ in reversed(spans(tags)):  # from the end, so that indices stay
            if type_ in self.names and chance.random() < self.replace:
                name = chance.choice(self.names[type_]).split()
                words[first:stop] = name
                tags[first:stop] = [f"B-{type_}"] + [f"I-{type_}"] * (len(name) - 1)
        draw = chance.random()
        if draw < self.recase:
            words = [word.lower() for word in words]
        elif draw < 1.5 * self.recase:
            words = [word.upper() for word in words]
        return Sentence(tuple(words), tuple(tags), sentence.annotated)


class Batches:
    """Shuffled batches of sentences of similar length; the order comes from torch's seed.

    Args:
        sentences: The fully annotated training data, all of it in each epoch.
        partial: Partly annotated data; each epoch draws as many sentences from it, or all.
        preprocess: Words to windows.
        size: Sentences in a batch.
        augmentation: Changes made anew each epoch.
    """

    def __init__(
        self,
        sentences: Sequence[Sentence],
        partial: Sequence[Sentence],
        preprocess: Preprocess,
        size: int,
        augmentation: Augmentation,
    ):
        self.sentences, self.partial, self.preprocess = sentences, partial, preprocess
        self.drawn = min(len(partial), len(sentences))
        self.size, self.augmentation = size, augmentation
        self.mask_id = preprocess.tokenizer.token_to_id("[MASK]")
        everything = [*sentences, *partial]
        kinds = {s.annotated for s in everything}
        tags = {*LABELS, *(tag for s in everything for tag in s.tags)}
        self.allowed = {(tag, kind): allowed_labels(tag, kind) for tag in tags for kind in kinds}

    def __len__(self) -> int:
        return -(-(len(self.sentences) + self.drawn) // self.size)

    def __iter__(self) -> Iterator[Batch]:
        chance = random.Random(int(torch.randint(2**31, ()).item()))
        # Length with a little noise: batches differ from epoch to epoch and need little padding.
        drawn = [*self.sentences, *chance.sample(self.partial, self.drawn)]
        order = sorted(drawn, key=lambda s: len(s.words) * chance.uniform(0.8, 1.2))
        batches = [order[i : i + self.size] for i in range(0, len(order), self.size)]
        chance.shuffle(batches)
        for batch in batches:
            yield self.collate([self.augmentation(sentence, chance) for sentence in batch])

    def collate(self, sentences: Sequence[Sentence]) -> Batch:
        """One batch; long sentences become several rows."""
        rows = [(window, s) for s in sentences for window in self.preprocess.windows(s.words)]
        inputs = {k: torch.from_numpy(v) for k, v in pad([window for window, _ in rows]).items()}
        allowed = np.zeros((*inputs["input_ids"].shape, len(LABELS)), bool)
        for row, (window, sentence) in enumerate(rows):
            for word, position in zip(window.words, window.positions, strict=True):
                allowed[row, position] = self.allowed[sentence.tags[word], sentence.annotated]
        hidden = torch.rand(inputs["input_ids"].shape) < self.augmentation.mask
        hidden &= inputs["attention_mask"].bool()
        inputs["input_ids"][hidden] = self.mask_id
        return Batch(inputs, torch.from_numpy(allowed))
