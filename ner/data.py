"""Sentences with BIO tags, fully or partly annotated, and their batches.

A sentence may say something to each head of the model: entity types (``tags``), and the animals
that are named (``mentions``) with the words that deny them (``cues``). What it does not say is left
open by the loss.
"""

import functools
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from common.errors import InputError
from common.training.distributed import local_shard
from ner.config import ModelConfig
from ner.decode import spans
from ner.labels import STATUS, TYPES, Mark
from ner.training_config import NerTrainingConfig
from ner.windows import Preprocess, pad

ALL_TYPES = frozenset(TYPES)
NO_TYPES: frozenset[str] = frozenset()
INSIDE = {Mark.NAME: Mark.NAME_INSIDE, Mark.AMBIGUOUS: Mark.AMBIGUOUS_INSIDE}
MENTION_TAGS = ("?", "O", *(f"{prefix}{status}" for prefix in "BI" for status in ("", *STATUS)))


@dataclass(frozen=True)
class Sentence:
    """Words and what annotators said of them.

    Attributes:
        words: The words.
        tags: BIO tags of entities.
        annotated: The entity types that the annotators looked for.
        mentions: ``B`` and ``I`` for names of animals with ``+`` (affirmed), ``-`` (denied), ``=``
            (referring) or nothing (unknown which) behind it, ``O`` for other words, ``?`` where
            unknown; empty where nobody looked.
        cues: Which words deny a mention; empty where nobody looked.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]
    annotated: frozenset[str] = ALL_TYPES
    mentions: tuple[str, ...] = ()
    cues: tuple[bool, ...] = ()


def read_jsonl(path: Path, annotated: frozenset[str] = ALL_TYPES) -> list[Sentence]:
    """Read JSON Lines with ``tokens`` and ``tags``; some types are annotated completely.

    Raises:
        InputError: If the file or a line cannot be read; the message names the line.
    """

    def parse(row: dict[str, Any]) -> Sentence:
        words, tags = row["tokens"], row["tags"]
        unknown = {tag[2:] for tag in tags} - ALL_TYPES - {""}
        if len(words) != len(tags) or (unknown and annotated == ALL_TYPES):
            raise ValueError(f"tags that fit neither words nor types {sorted(unknown)}")
        return Sentence(tuple(words), tuple(tags), annotated)

    return _read(path, parse, '{"tokens": [...], "tags": [...]}')


def read_mentions(path: Path) -> list[Sentence]:
    """Read JSON Lines with ``tokens``, ``mentions`` and, where known, ``cues`` (0 or 1).

    ``data/everyday.py`` writes them; `Sentence` says what the tags mean.

    Raises:
        InputError: If the file or a line cannot be read; the message names the line.
    """

    def parse(row: dict[str, Any]) -> Sentence:
        words, mentions = tuple(row["tokens"]), tuple(row["mentions"])
        cues = tuple(map(bool, row.get("cues", ())))
        if len(words) != len(mentions) or (cues and len(words) != len(cues)):
            raise ValueError("tags that do not fit the words")
        if unknown := set(mentions) - set(MENTION_TAGS):
            raise ValueError(f"unknown tags {sorted(unknown)}")
        return Sentence(words, ("O",) * len(words), NO_TYPES, mentions, cues)

    return _read(path, parse, '{"tokens": [...], "mentions": [...]}')


def _read(path: Path, parse: Callable[[dict[str, Any]], Sentence], expected: str) -> list[Sentence]:
    """Read the sentences of a JSON Lines file, without those that have no words."""
    sentences, number = [], 0
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                number += 1
                sentence = parse(json.loads(line))
                if sentence.words:
                    sentences.append(sentence)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; expected a .jsonl file") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}, line {number}: {error}; expected {expected}") from error
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


def label_mask(
    config: ModelConfig, tag: str, annotated: frozenset[str], mention: str, cue: str | None
) -> np.ndarray:
    """Return which outputs may be right for a word, ``(L,)`` bool.

    Of a head about which nothing is said, none. A tag of an annotated type allows itself; any other
    says only that the word belongs to none of the annotated types.

    Args:
        config: The model's.
        tag: The word's BIO tag.
        annotated: See `Sentence`.
        mention: One of `MENTION_TAGS`.
        cue: ``B`` or ``I`` for a word that denies a mention, ``O`` for others, None if nobody
            looked.
    """
    looked_for = tag[2:] in annotated
    prefix, status = mention[0], mention[1:]
    statuses = [STATUS[status]] if status else STATUS.values()
    cues = {None: {"O", "B-cue", "I-cue"}, "O": {"O"}}.get(cue, {f"{cue}-cue"})
    said = {"?": set(), "O": cues}.get(prefix, {f"{prefix}-{status}" for status in statuses})
    possible = {
        "entity": {
            label
            for label in config.heads["entity"]
            if annotated and (label == tag if looked_for else label[2:] not in annotated)
        },
        "claim": said,
    }
    heads = config.heads.items()
    return np.array([label in possible[head] for head, labels in heads for label in labels])


def implied_mentions(sentence: Sentence, names: np.ndarray) -> tuple[str, ...]:
    """Return what entity tags and names ``(W,)`` say about mentions; the rest stays open.

    An animal by its tag and by the taxonomy is a mention. Other entities ("Chicago Bulls") and
    words that are no names are none. A name that is left unmarked may be one all the same, but
    where animals alone were looked for, one that has other senses is not.
    """
    others = {Mark.AMBIGUOUS, Mark.AMBIGUOUS_INSIDE} if sentence.annotated == {"ANIM"} else set()
    result = ["O" if name in {Mark.NONE, *others} else "?" for name in names]
    for first, stop, type_ in spans(sentence.tags):
        marks = [int(mark) for mark in names[first:stop]]
        if type_ not in sentence.annotated or type_ in ("MYTH", "BIO"):
            result[first:stop] = ["?"] * (stop - first)
        elif type_ != "ANIM":
            result[first:stop] = ["O"] * (stop - first)
        else:
            inside = INSIDE.get(marks[0])
            whole = inside is not None and all(mark == inside for mark in marks[1:])
            whole &= stop == len(names) or names[stop] != inside
            tags = ["B", *["I"] * (stop - first - 1)] if whole else ["?"] * (stop - first)
            result[first:stop] = tags
    return tuple(result)


@dataclass
class Batch:
    """Model inputs ``(B, T)`` and which outputs may be right at each position ``(B, T, L)``."""

    inputs: dict[str, torch.Tensor]
    label_mask: torch.Tensor


class Augmentation:
    """Random changes to training sentences that leave the tags right.

    Args:
        config: ``recase`` is the share of sentences shown in lower case (half as many in capitals),
            ``typo`` of words misspelt where mentions are marked, names of animals and others alike,
            ``replace`` of entities replaced by another name of their type (Dai & Adel, "An Analysis
            of Simple Data Augmentation for NER", COLING 2020).
        names: For each type the names to choose from.
    """

    def __init__(self, config: NerTrainingConfig, names: Mapping[str, Sequence[str]]):
        self.config, self.names = config, names

    def __call__(self, sentence: Sentence, chance: random.Random) -> Sentence:
        """A changed copy of a sentence."""
        words, tags = list(sentence.words), list(sentence.tags)
        if sentence.mentions:  # names are drawn where these sentences are made
            # Half of them are written without a slip, the others with twice as many.
            rate = 2 * self.config.typo * (chance.random() < 0.5)
            slips = [misspell(w, chance) if chance.random() < rate else w for w in words]
            return replace(sentence, words=self._recase(slips, chance))
        for first, stop, type_ in reversed(spans(tags)):  # from the end, so that indices stay
            if type_ in self.names and chance.random() < self.config.replace:
                name = chance.choice(self.names[type_]).split()
                words[first:stop] = name
                tags[first:stop] = [f"B-{type_}"] + [f"I-{type_}"] * (len(name) - 1)
        return Sentence(self._recase(words, chance), tuple(tags), sentence.annotated)

    def _recase(self, words: Sequence[str], chance: random.Random) -> tuple[str, ...]:
        draw = chance.random()
        if draw < self.config.recase:
            return tuple(word.lower() for word in words)
        if draw < 1.5 * self.config.recase:
            return tuple(word.upper() for word in words)
        return tuple(words)


# Spellings that sound alike, the usual slips beside those of the fingers.
_SOUNDS = """
    ph f  ff f  ll l  pp p  tt t  rr r  ss s  ie ei  ei ie  ou u  ea ee  ee ea  ck k  qu kw  gh g
    ch sh  an en  en an  er ar  ar er  c k  a e  e a  i y  y i  o a  u o  z s  x ks"""
SOUNDS = tuple(zip(_SOUNDS.split()[::2], _SOUNDS.split()[1::2], strict=True))
MIN_MISSPELT = 4  # letters; shorter words turn into others
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
NEIGHBOURS = {
    c: row[max(0, i - 1) : i] + row[i + 1 : i + 2] for row in _ROWS for i, c in enumerate(row)
}


def misspell(word: str, chance: random.Random) -> str:
    """A word with one slip; the first letter mostly stays.

    A letter is doubled, dropped, swapped with the next, replaced by its neighbour on the keyboard,
    or spelt as another that sounds alike.
    """
    if len(word) < MIN_MISSPELT or not word.isalpha():
        return word
    i = chance.randrange(1, len(word) - 1)
    kind = chance.randrange(5)
    if kind == 4:
        i = chance.randrange(len(word))
        keys = NEIGHBOURS.get(word[i].lower())
        return word[:i] + chance.choice(keys) + word[i + 1 :] if keys else word
    alike = [(a, b) for a, b in SOUNDS if a in word[1:]]
    if kind == 0:
        return word[:i] + word[i] + word[i:]
    if kind == 1 or (kind == 3 and not alike):
        return word[:i] + word[i + 1 :]
    if kind == 2:
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    a, b = chance.choice(alike)
    return word[0] + word[1:].replace(a, b, 1)


class Batches:
    """Shuffled batches of sentences of similar length; the order comes from torch's seed.

    Args:
        config: Sizes and shares; the changes are made anew each epoch.
        preprocess: Words to windows.
        sentences: The fully annotated training data, all of it in each epoch.
        partial: Partly annotated data, of which each epoch draws a share.
        everyday: Sentences with mentions, likewise.
        names: See `Augmentation`.
    """

    def __init__(
        self,
        config: NerTrainingConfig,
        preprocess: Preprocess,
        sentences: Sequence[Sentence],
        partial: Sequence[Sentence] = (),
        everyday: Sequence[Sentence] = (),
        names: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ):
        self.config, self.preprocess, self.augment = config, preprocess, Augmentation(config, names)
        self.sentences, self.partial, self.everyday = sentences, partial, everyday
        self.drawn = min(len(partial), round(config.partial_share * len(sentences)))
        self.drawn_everyday = min(len(everyday), round(config.everyday_share * len(sentences)))
        self.label_mask = functools.cache(functools.partial(label_mask, preprocess.config))
        self.special_ids = torch.from_numpy(np.concatenate((preprocess.before, preprocess.behind)))

    def __len__(self) -> int:
        return -(
            -(len(self.sentences) + self.drawn + self.drawn_everyday) // self.config.batch_size
        )

    def __iter__(self) -> Iterator[Batch]:
        chance = random.Random(int(torch.randint(2**31, ()).item()))
        drawn = [*self.sentences, *chance.sample(self.partial, self.drawn)]
        drawn += chance.sample(self.everyday, self.drawn_everyday)
        # Length with a little noise: batches differ from epoch to epoch and need little padding.
        order = sorted(drawn, key=lambda s: len(s.words) * chance.uniform(0.8, 1.2))
        size = self.config.batch_size
        batches = [order[i : i + size] for i in range(0, len(order), size)]
        chance.shuffle(batches)
        for batch in batches:
            changed = [self.augment(sentence, chance) for sentence in batch]
            yield self.collate(local_shard(changed), chance)

    def collate(self, sentences: Sequence[Sentence], chance: random.Random) -> Batch:
        """Return one batch; long sentences become several rows."""
        rows = []
        for s in sentences:
            use_names = chance.random() >= self.config.gazetteer_dropout
            rows += [(window, s) for window in self.preprocess.windows(s.words, use_names)]
        batch = pad([window for window, _ in rows], self.preprocess.pad_id)
        inputs = {name: torch.from_numpy(values) for name, values in batch.items()}
        outputs = len(self.preprocess.config.outputs)
        mask = np.zeros((*inputs["input_ids"].shape, outputs), bool)
        for row, (window, s) in enumerate(rows):
            mentions = s.mentions or implied_mentions(s, self.preprocess.names(s.words))
            cues = ["OBI"[cue + (cue and last)] for last, cue in pairwise((False, *s.cues))]
            for word, position in zip(window.words, window.positions, strict=True):
                cue = cues[word] if cues else None
                said = s.tags[word], s.annotated, mentions[word], cue
                mask[row, position] = self.label_mask(*said)
        if self.config.mask:  # hidden sub-words, so that context has to tell
            ids = inputs["input_ids"]
            hidden = torch.rand(ids.shape) < self.config.mask
            hidden &= inputs["attention_mask"].bool() & ~torch.isin(ids, self.special_ids)
            ids[hidden] = self.preprocess.mask_id
        return Batch(inputs, torch.from_numpy(mask))
