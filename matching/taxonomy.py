"""Names of animals and the is-a relations between them.

A concept is a kind of animal ("killer whale"), a group ("big cat") or a form by age or sex
("kitten"). Its id is the name that people read: lower case, words separated by one space. The
classifier's labels are spelt otherwise ("killer_whale", "killer+whale"); ``Taxonomy.concept_of`` is
the one place where a label becomes a concept. Which concepts are classes is for the classifier to
say, so labels are arguments here and nothing in the data depends on them.

``taxonomy.json`` is made by ``data/taxonomy.py``, which also checks it: nothing is checked or
inflected here, so that loading takes milliseconds. A concept may be marked; the marks say what may
stand in for a concept finer than any class:

- ``basic``: the basic level of a category (Rosch 1976), the word at which finer kinds look so much
  alike that one answers for all: a labrador is judged as a dog. "Bear" or "big cat" is not marked,
  because a lion must not answer for a cheetah, nor "animal" for a penguin.
- ``form``: an age or a sex, not a kind of its own. The concepts right above stand in for it ("cub":
  bear, big cat, wolf or fox), and it gives way to a kind named beside it ("wolf cub").
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from common.errors import InputError

DEFAULT_FILE = Path(__file__).with_name("taxonomy.json")
OTHER_ANIMAL = "other_animal"  # the label of a class for animals that are no class of their own
NOT_ANIMAL = "not_animal"  # the label of a class for photos without an animal
UNNAMED = (OTHER_ANIMAL, NOT_ANIMAL)  # classes that name no animal
ROOT = "animal"  # every concept ends up here, and so does a class that the file does not know
MAX_WORDS = 6  # of a name; "greater flamingo of the old world" is a description
MAX_COMPOUND = 60  # characters; "killer whale calf" is a compound, a longer run of names is a list

_WORD = re.compile(r"[^\W_]+")
_TOKEN = re.compile(r"([^\W_]+)(['’]s?(?![^\W_]))?")  # a word and its possessive
_POSSESSIVE = re.compile(r"['’]s?(?![^\W_])")
_GAP = re.compile(r"[\s_-]*")  # what may be between two words of one name

# Typing errors that are forgiven in a word below each length (optimal string alignment distance).
# Words of four letters are one letter apart from each other and from half the dictionary.
_TYPOS = ((5, 0), (6, 1), (12, 2))
_MAX_TYPOS = 3
_SHORT = 5  # words of that length have a letter missing, too many or swapped, not a wrong one
_INITIALS = str.maketrans("kq", "cc")  # people know how a word begins, but for these


class Concept(NamedTuple):
    """An entry of the taxonomy."""

    names: list[str]
    """Further names, singular; the id is one already."""
    is_a: list[str]
    """The concepts right above."""
    mark: str = ""
    """"basic", "form" or nothing."""
    forms: list[str] = []  # noqa: RUF012 (never changed)
    """Further spellings: plurals, "polarbear"."""

    @property
    def basic(self) -> bool:
        """Whether finer kinds are judged as this one."""
        return self.mark == "basic"

    @property
    def form(self) -> bool:
        """Whether it is an age or a sex."""
        return self.mark == "form"


class Name(NamedTuple):
    """A name found in a text."""

    start: int
    end: int
    concept: str
    ambiguous: bool
    """Whether the word has another everyday sense ("bat", "mouse")."""


class Judgement(NamedTuple):
    """What answers for a concept."""

    classes: frozenset[str]
    """Labels whose probabilities add up to the concept's; empty when it is outside knowledge."""
    exact: bool
    """False when a coarser concept stands in, so that the finer part is not checked."""
    by: tuple[str, ...]
    """The concept itself, or those that stand in for it."""


def normalise(text: str) -> str:
    """Spell a name the way ids are spelt: lower case, single spaces, no punctuation."""
    return " ".join(_WORD.findall(_POSSESSIVE.sub(" ", text.lower())))


class Taxonomy:
    """Looks up names and walks the is-a relations.

    Args:
        concepts: The entries by id, the most usual first.
        ambiguous: The names and spellings that have another everyday sense.
        everyday: How many of the first concepts people know; misspelt names are sought among these.
        words: Words that look like misspelt names and are not ("kitchen").
    """

    def __init__(
        self,
        concepts: dict[str, Concept],
        ambiguous: frozenset[str] = frozenset(),
        everyday: int = 0,
        words: str = "",
    ):
        self.everyday = everyday
        self.words = words
        self.concepts = concepts
        self.ambiguous = ambiguous
        self._above: dict[str, frozenset[str]] = {}
        self._below: dict[tuple[str, frozenset[str]], frozenset[str]] = {}
        self._judged: dict[tuple[str, frozenset[str]], Judgement] = {}
        self._index: dict[str, str] = {}  # every name and spelling -> concept
        for concept, entry in concepts.items():
            self._index[concept] = concept
            self._index.update(dict.fromkeys(entry.names, concept))
            self._index.update(dict.fromkeys(entry.forms, concept))

    @classmethod
    @cache
    def load(cls, path: Path = DEFAULT_FILE) -> "Taxonomy":
        """Read a file that ``data/taxonomy.py`` made, once.

        Raises:
            InputError: If the file cannot be read.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
            concepts = {concept: Concept(*row) for concept, row in data["concepts"].items()}
            return cls(concepts, frozenset(data["ambiguous"]), data["everyday"], data["words"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"taxonomy: cannot read '{path}': {reason}") from error

    def with_classes(self, classes: Iterable[str]) -> "Taxonomy":
        """Add the classifier's labels that have no concept yet, each right below the root.

        Returns:
            A taxonomy in which every label answers to its own name (this one, if all did before).
        """
        unknown = [name for name in map(normalise, classes) if name and name not in self]
        if not unknown:
            return self
        own = {name: Concept(names=[], is_a=[ROOT]) for name in unknown}
        return Taxonomy(self.concepts | own, self.ambiguous, self.everyday, self.words)

    def __contains__(self, name: str) -> bool:
        """Tell whether something in lower case is a name, in any of its spellings."""
        return name in self._index

    def concept_of(self, label: str) -> str:
        """Return the concept that a classifier's label stands for."""
        name = normalise(label)
        return self._index.get(name, name)

    def names(self, concept: str) -> list[str]:
        """Return the names a concept answers to, singular, its id first."""
        return [concept, *self.concepts[concept].names]

    def names_for_classes(self, classes: Iterable[str]) -> dict[str, list[str]]:
        """Return the names that each of the classifier's labels answers to.

        Returns:
            By label: its own names, then each everyday kind and form below it that is not below
            another label, too, in the order of the taxonomy.
        """
        labels = tuple(classes)
        known = self.with_classes(labels)
        own = {label: known.concept_of(label) for label in labels}
        names = {label: known.names(concept) for label, concept in own.items()}
        for concept in islice(known.concepts, known.everyday):
            above = known._at_or_above(concept)
            owners = [label for label in labels if own[label] in above and own[label] != concept]
            for label in owners:
                # a whale class does not list "orca" when killer whales are a class
                rivals = (c for c in own.values() if c != own[label] and c in above)
                if not any(known.is_below(c, own[label]) for c in rivals):
                    names[label].append(concept)
        return names

    def resolve(self, mention: str) -> str | None:
        """Find the concept that a mention names.

        The longest known tail wins, because in English the kind comes last: "big brown cow" is a
        cow. A form by age or sex gives way to a kind before it: "wolf cub" is a wolf. A mention
        without a known tail may be misspelt: "elefant". Any spelling will do: upper case, plural,
        hyphens, underscores.

        Returns:
            The concept, or None when the mention is unlike all names.
        """
        words = normalise(mention).split()
        return self._named(words) or self._named(list(map(self._corrected, words[-MAX_WORDS:])))

    def find(self, text: str) -> list[Name]:
        """Find every taxonomy name in a text, whole words only, longest match first.

        It does not know idioms, and of other senses only that there are some: the recogniser knows
        more. A form and a kind side by side ("bear cub", "bull elephant") are one name.
        """
        tokens = [(*m.span(1), m.end(), m[1].lower()) for m in _TOKEN.finditer(text)]
        reach = _reach(tokens, text)
        index = self._index
        found: list[Name] = []
        i = 0
        while i < len(tokens):
            for size in range(reach[i], 0, -1):
                spelt = " ".join([word for *_, word in tokens[i : i + size]])
                if concept := index.get(spelt):
                    start, end = tokens[i][0], tokens[i + size - 1][1]
                    self._append(found, Name(start, end, concept, spelt in self.ambiguous), text)
                    i += size
                    break
            else:
                i += 1
        return found

    def is_below(self, concept: str, other: str) -> bool:
        """Tell whether a concept is the other one or a kind of it."""
        return other in self._at_or_above(concept)

    def classes_at_or_below(self, concept: str, classes: Iterable[str]) -> frozenset[str]:
        """Return the labels among ``classes`` that are the concept or a kind of it."""
        key = concept, frozenset(classes)
        if key not in self._below:
            self._below[key] = frozenset(
                c for c in key[1] if self.is_below(self.concept_of(c), concept)
            )
        return self._below[key]

    def answering_classes(self, concept: str, classes: Iterable[str]) -> Judgement:
        """Decide which classes answer for a concept.

        Classes at or below it answer exactly. Without any, the nearest concepts above stand in that
        are classes themselves, are marked ``basic``, or are what a ``form`` is a form of. A concept
        with none of these, as "penguin" among mammals, is outside the classifier's knowledge.
        """
        key = concept, frozenset(classes)
        if key not in self._judged:
            self._judged[key] = self._judge(*key)
        return self._judged[key]

    def _judge(self, concept: str, labels: frozenset[str]) -> Judgement:
        if exact := self.classes_at_or_below(concept, labels):
            return Judgement(exact, True, (concept,))
        known = {self.concept_of(label) for label in labels}
        level = [concept]
        while level:
            steps = [(self.concepts[c].form, up) for c in level for up in self.concepts[c].is_a]
            answers = {
                up: below
                for from_form, up in steps
                if (from_form or self.concepts[up].basic or up in known)
                and (below := self.classes_at_or_below(up, labels))
            }
            if answers:
                return Judgement(frozenset().union(*answers.values()), False, tuple(answers))
            level = list(dict.fromkeys(up for _, up in steps))
        return Judgement(frozenset(), False, ())

    def most_specific(
        self, probabilities: Mapping[str, float], share: float
    ) -> tuple[str, float] | None:
        """Return the most specific concept that a photo surely shows.

        Unsure between lion, tiger and leopard it is sure of a big cat, as in the roll-up of
        SpeciesNet (Gadot et al., "To crop or not to crop", IET Computer Vision 2024).

        Args:
            probabilities: By the classifier's labels.
            share: From which probability on it is sure, 0 to 1.

        Returns:
            The concept at or above the most probable label that covers the fewest labels and has
            at least ``share`` together, with its probability; None when not even "animal" has.
        """
        best = self.concept_of(max(probabilities, key=lambda label: probabilities[label]))
        found, known = [], frozenset(probabilities)
        for concept in self._at_or_above(best):
            labels = self.classes_at_or_below(concept, known)
            total = math.fsum(probabilities[label] for label in labels)
            if total >= share:
                found.append((len(labels), len(self._at_or_above(concept)) * -1, concept, total))
        if not found:
            return None
        *_, concept, total = min(found)
        return concept, min(1.0, total)

    def nearest_above(self, concept: str, classes: Iterable[str]) -> frozenset[str]:
        """Return the labels among ``classes`` right above a concept, with none in between."""
        labels = {self.concept_of(label): label for label in classes}
        above = [c for c in labels if c != concept and self.is_below(concept, c)]
        return frozenset(
            labels[c] for c in above if not any(o != c and self.is_below(o, c) for o in above)
        )

    def _at_or_above(self, concept: str) -> frozenset[str]:
        """Return a concept and everything above it; the root is above what is unknown."""
        if concept not in self._above:
            entry = self.concepts.get(concept)
            ups = entry.is_a if entry else [ROOT] * (concept != ROOT)
            above = (self._at_or_above(up) for up in ups)
            self._above[concept] = frozenset({concept}).union(*above)
        return self._above[concept]

    def _named(self, words: list[str]) -> str | None:
        """Find the concept that words name, the last known ones unless these are a form."""
        form = None
        words = list(words)
        while words:
            first, concept = self._tail(words)
            if concept is None or not self.concepts[concept].form:
                return concept or form
            form = form or concept
            del words[first:]
        return form

    def _tail(self, words: list[str]) -> tuple[int, str | None]:
        """Find the longest known tail: the index of its first word and its concept."""
        for first in range(max(0, len(words) - MAX_WORDS), len(words)):
            tail = words[first:]
            concept = self._index.get(" ".join(tail))
            if not concept and first == 0:
                concept = self._index.get("".join(tail))  # "grass hopper"
            if concept:
                return first, concept
        return 0, None

    def _corrected(self, word: str) -> str:
        """Return the word of everyday names that a misspelt one is nearest to, or the word itself.

        Of several at the same distance, the one of the more usual concept.
        """
        typos = next((typos for length, typos in _TYPOS if len(word) < length), _MAX_TYPOS)
        if not typos or word in self._words or word.removesuffix("s") in self._words:
            return word
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        names = self._vocabulary[word[0].translate(_INITIALS)]
        if len(word) == _SHORT:  # "snark" is no shark
            names = [n for n in names if len(n) != _SHORT or sorted(n) == sorted(word)]
        best = process.extractOne(word, names, scorer=OSA.distance, score_cutoff=typos)
        return best[0] if best else word

    @cached_property
    def _words(self) -> frozenset[str]:
        """Collect the words that are spelt right."""
        return frozenset(self.words.split()).union(*map(str.split, self._index))

    @cached_property
    def _vocabulary(self) -> defaultdict[str, list[str]]:
        """Collect the words of everyday names by their first letter, the most usual first."""
        everyday = list(islice(self.concepts.items(), self.everyday))
        names = [n for concept, entry in everyday for n in (concept, *entry.names, *entry.forms)]
        # "horse" before the "house" of "house cat"
        whole = [name for name in names if " " not in name]
        words: defaultdict[str, list[str]] = defaultdict(list)
        for word in dict.fromkeys([*whole, *(word for name in names for word in name.split())]):
            words[word[0].translate(_INITIALS)].append(word)
        return words

    def _append(self, found: list[Name], name: Name, text: str) -> None:
        """Append a name, or merge it with the one before when one of the two is a form."""
        if found and text[found[-1].end : name.start] in (" ", "-"):
            before = found[-1]
            has_form = self.concepts[before.concept].form or self.concepts[name.concept].form
            if has_form and name.end - before.start <= MAX_COMPOUND:
                concept = self.resolve(text[before.start : name.end]) or name.concept
                ambiguous = before.ambiguous and name.ambiguous
                found[-1] = Name(before.start, name.end, concept, ambiguous)
                return
        found.append(name)


def _reach(tokens: list[tuple[int, int, int, str]], text: str) -> list[int]:
    """Count for each token how many from there on may be one name, no punctuation between them."""
    reach = [1] * len(tokens)
    for i in range(len(tokens) - 2, -1, -1):
        gap = text[tokens[i][2] : tokens[i + 1][0]]
        if gap == " " or _GAP.fullmatch(gap):
            reach[i] = min(reach[i + 1] + 1, MAX_WORDS)
    return reach
