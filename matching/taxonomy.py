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
- ``form``: an age, a sex or an occupation, not a kind of its own. The concepts right above stand in
  for it, whatever their kind ("cub": bear, big cat, wolf or fox), and it gives way to a kind named
  beside it ("wolf cub").
- ``family``: a group whose kinds are easily taken for each other: a photo of a crocodile does not
  rule out an alligator.
- ``open``: a group of which only some members are known ("wild animal"): what is no member may
  still belong to it, if it belongs to what is right above.
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache, cached_property, lru_cache
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

# Typing errors that are forgiven in a word below each length (optimal string alignment distance:
# swapped neighbours are one error). Words of three and four letters are one letter apart from each
# other and from half the dictionary: they are compared with the names of classes only.
_TYPOS = ((3, 0), (6, 1), (12, 2))
_MAX_TYPOS = 3
_TINY, _SHORT = 4, 5  # up to _SHORT letters, one is missing, too many or swapped, but none is wrong
_CACHED = 1 << 16  # words whose correction is remembered
_INITIALS = str.maketrans("kq", "cc")  # people know how a word begins, but for these
_SENTENCE = re.compile(r"[.!?:;\n\"“”«»()\[\]-]")  # may stand before the first word of a sentence

# "labrador mix" is no labrador. An object behind it makes it a verb: "labradors cross the road".
_CROSSES = frozenset(("cross", "crosses", "crossbreed", "crossbreeds", "mix", "mixes", "hybrid"))
_OBJECTS = frozenset(("the", "a", "an", "this", "that", "these", "my", "our", "your", "his", "her"))


class Concept(NamedTuple):
    """An entry of the taxonomy."""

    names: list[str]
    """Further names, singular; the id is one already."""
    is_a: list[str]
    """The concepts right above."""
    mark: str = ""
    """"basic", "form", "family", "open" or nothing."""
    forms: list[str] = []  # noqa: RUF012 (never changed)
    """Further spellings: plurals, "polarbear"."""
    is_no: list[str] = []  # noqa: RUF012 (never changed)
    """Concepts above those right above to which it does not belong: a giant panda, no carnivore."""

    @property
    def basic(self) -> bool:
        """Whether finer kinds are judged as this one."""
        return self.mark == "basic"

    @property
    def form(self) -> bool:
        """Whether it is an age, a sex or an occupation."""
        return self.mark == "form"

    @property
    def family(self) -> bool:
        """Whether its kinds are easily taken for each other."""
        return self.mark == "family"

    @property
    def open(self) -> bool:
        """Whether it has members that are not known."""
        return self.mark == "open"


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
        short: Names that are known with an error even if they are short: those of classes.
    """

    def __init__(
        self,
        concepts: dict[str, Concept],
        ambiguous: frozenset[str] = frozenset(),
        everyday: int = 0,
        words: str = "",
        short: frozenset[str] = frozenset(),
    ):
        self.everyday = everyday
        self.words = words
        self.concepts = concepts
        self.ambiguous = ambiguous
        self.short = short
        self._alike: dict[tuple[str, int], tuple[int, list[str]]] = {}
        self._with: dict[tuple[str, ...], Taxonomy] = {}
        self._above: dict[str, frozenset[str]] = {}
        self._below: dict[tuple[str, frozenset[str]], frozenset[str]] = {}
        self._judged: dict[tuple[str, frozenset[str]], Judgement] = {}
        self._index: dict[str, str] = {}  # every name and spelling -> concept
        for concept, entry in concepts.items():
            self._index[concept] = concept
            self._index.update(dict.fromkeys(entry.names, concept))
            self._index.update(dict.fromkeys(entry.forms, concept))
        self.corrected = lru_cache(_CACHED)(self._correct)

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
            A taxonomy in which every label answers to its own name, and short ones to their
            misspellings, too (this one, if all did before).
        """
        labels = tuple(label for label in classes if label not in UNNAMED)
        if labels not in self._with:
            self._with[labels] = self._add(labels)
        return self._with[labels]

    def _add(self, labels: tuple[str, ...]) -> "Taxonomy":
        """Return a taxonomy that knows these labels."""
        unknown = [name for name in map(normalise, labels) if name and name not in self._index]
        own = {name: Concept(names=[], is_a=[ROOT]) for name in unknown}
        concepts = self.concepts | own if own else self.concepts
        short = set(self.short)
        for label in labels:
            entry = concepts.get(self.concept_of(label))
            short.update(n for n in (normalise(label), *(entry.forms if entry else ())) if n)
        short = frozenset(name for name in short if " " not in name)
        if not own and short == self.short:
            return self
        return Taxonomy(concepts, self.ambiguous, self.everyday, self.words, short)

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
        without a known tail may be misspelt: "elefant". A cross is only surely of the kind that its
        breed is: "labrador mix" is a dog. Any spelling will do: upper case, plural, hyphens,
        underscores.

        Returns:
            The concept, or None when the mention is unlike all names.
        """
        words = normalise(mention).split()
        return self._named(words) or self._named(list(map(self.corrected, words[-MAX_WORDS:])))

    def is_listed(self, name: str) -> bool:
        """Tell whether a name or spelling is known as it is."""
        return normalise(name) in self._index

    def find(self, text: str) -> list[Name]:
        """Find every taxonomy name in a text, whole words only, longest match first.

        It does not know idioms, and of other senses only that there are some: the recogniser knows
        more. A form and a kind side by side ("bear cub", "bull elephant") are one name, and so are
        a breed and "mix". A misspelt name ("elefant") counts as ambiguous.
        """
        tokens = [(*m.span(1), m.end(), m[1].lower()) for m in _TOKEN.finditer(text)]
        reach = _reach(tokens, text)
        index, longest = self._index, self._longest
        found: list[Name] = []
        i = 0
        while i < len(tokens):
            start, end, _, word = tokens[i]
            for size in range(min(reach[i], longest.get(word, 1)), 0, -1):
                spelt = " ".join([word for *_, word in tokens[i : i + size]])
                if concept := index.get(spelt):
                    break
            else:
                i += 1
                concept = self._misspelt(word)
                if concept and not _is_name(text, tokens, i - 1):
                    self._append(found, Name(start, end, concept, True), text)
                continue
            i += size
            if reach[i - 1] > 1 and tokens[i][3] in _CROSSES:
                object_ = tokens[i + 1][3] if reach[i] > 1 else ""
                if kind := self._kind_of(concept) if object_ not in _OBJECTS else None:
                    concept, i = kind, i + 1
            name = Name(start, tokens[i - 1][1], concept, spelt in self.ambiguous)
            self._append(found, name, text)
        return found

    def crossed(self, mention: str) -> str | None:
        """Return the kind that "labrador mix" surely is, None for what is no cross."""
        words = normalise(mention).split()
        if len(words) < 2 or words[-1] not in _CROSSES or " ".join(words) in self._index:
            return None
        concept = self._tail(words[:-1])[1]
        return self._kind_of(concept) if concept else None

    def is_whole(self, mention: str) -> bool:
        """Tell whether a part of a name claims something else: "wild animal", "labrador mix"."""
        concept = self.resolve(mention)
        entry = self.concepts[concept] if concept else None
        return bool(entry and entry.open) or self.crossed(mention) is not None

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
        are classes themselves, are marked ``basic``, or are what a ``form`` is a form of. A class
        answers alone for a kind below it: a photo that surely shows a dalmatian, another class,
        shows no labrador, but may show a puppy. A concept with none of these, as "penguin" among
        mammals, is outside the classifier's knowledge.
        """
        key = concept, frozenset(classes)
        if key not in self._judged:
            self._judged[key] = self._judge(*key)
        return self._judged[key]

    def _judge(self, concept: str, labels: frozenset[str]) -> Judgement:
        if exact := self.classes_at_or_below(concept, labels):
            return Judgement(exact, True, (concept,))
        known: defaultdict[str, set[str]] = defaultdict(set)
        for label in labels:
            known[self.concept_of(label)].add(label)
        sums = self.concepts[concept].form  # whatever its kind
        level = [concept]
        while level:
            steps = [(self.concepts[c].form, up) for c in level for up in self.concepts[c].is_a]
            answers = {
                up: frozenset(known[up]) if up in known and not sums else below
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
            if concept in self.concepts and self.concepts[concept].open:
                continue
            labels = self.classes_at_or_below(concept, known)
            total = math.fsum(probabilities[label] for label in labels)
            if total >= share:
                found.append((len(labels), len(self._at_or_above(concept)) * -1, concept, total))
        if not found:
            return None
        *_, concept, total = min(found)
        return concept, min(1.0, total)

    def surest_kind(self, probabilities: Mapping[str, float], share: float) -> str | None:
        """Return the kind that a photo surely shows: a class, or what is ``basic`` above it.

        Args:
            probabilities: By the classifier's labels.
            share: From which probability on it is sure, 0 to 1.
        """
        best = self.concept_of(max(probabilities, key=lambda label: probabilities[label]))
        known = frozenset(probabilities)
        above = self._at_or_above(best) - {best}
        basic = [c for c in above if c in self.concepts and self.concepts[c].basic]
        for concept in (best, *sorted(basic, key=lambda c: (-len(self._at_or_above(c)), c))):
            labels = self.classes_at_or_below(concept, known)
            if math.fsum(probabilities[label] for label in labels) >= share:
                return concept
        return None

    def are_related(self, concept: str, other: str) -> bool:
        """Tell whether two concepts belong to one ``family``."""
        both = self._at_or_above(concept) & self._at_or_above(other)
        return any(self.concepts[c].family for c in both if c in self.concepts)

    def beyond(self, concept: str, classes: Iterable[str]) -> frozenset[str] | None:
        """Return the labels that may belong to an ``open`` concept; None for one that is not."""
        entry = self.concepts.get(concept)
        if entry is None or not entry.open:
            return None
        labels = frozenset(classes)
        return frozenset().union(*(self.classes_at_or_below(up, labels) for up in entry.is_a))

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
            above = frozenset({concept}).union(*(self._at_or_above(up) for up in ups))
            self._above[concept] = above.difference(entry.is_no) if entry else above
        return self._above[concept]

    def _named(self, words: list[str]) -> str | None:
        """Find the concept that words name, the last known ones unless these are a form."""
        form = None
        words = list(words)
        while words:
            if kind := self.crossed(" ".join(words)):
                return kind
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

    def _kind_of(self, concept: str) -> str | None:
        """Return the nearest ``basic`` concept above another one."""
        above = self._at_or_above(concept) - {concept}
        kinds = [c for c in above if c in self.concepts and self.concepts[c].basic]
        return max(kinds, key=lambda c: (len(self._at_or_above(c)), c), default=None)

    def _misspelt(self, word: str) -> str | None:
        """Return the concept that a misspelt word names, None for words of other kinds."""
        best = self.corrected(word)
        return self._index.get(best) if best != word else None

    def _correct(self, word: str) -> str:
        """Return the word of everyday names that a misspelt one is nearest to, or the word itself.

        Of several at the same distance, the one of the more usual concept.
        """
        typos, names = self._candidates(word[0].translate(_INITIALS), len(word))
        if len(word) <= _SHORT:  # "snark" is no shark
            names = [n for n in names if len(n) != len(word) or sorted(n) == sorted(word)]
        if not names or not word.isalpha():
            return word
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        best = process.extractOne(word, names, scorer=OSA.distance, score_cutoff=typos)
        if best is None or word in self._words or word.removesuffix("s") in self._words:
            return word
        return best[0]

    def _candidates(self, initial: str, length: int) -> tuple[int, list[str]]:
        """Return how many errors a word may have, and the names that it may be, of like length."""
        key = initial, length
        if key not in self._alike:
            typos = next((typos for limit, typos in _TYPOS if length < limit), _MAX_TYPOS)
            near = (n for n in self._vocabulary[initial] if abs(len(n) - length) <= typos)
            names = [n for n in near if length > _TINY or n in self.short] if typos else []
            self._alike[key] = typos, names
        return self._alike[key]

    @cached_property
    def _longest(self) -> dict[str, int]:
        """Collect for the first word of each name of several words how many these are at most."""
        longest: dict[str, int] = {}
        for name in self._index:
            if " " in name:
                first, size = name.partition(" ")[0], name.count(" ") + 1
                if size > longest.get(first, 1):
                    longest[first] = size
        return longest

    @cached_property
    def _words(self) -> frozenset[str]:
        """Collect the words that are spelt right."""
        return frozenset(self.words.split()).union(*map(str.split, self._index))

    @cached_property
    def _vocabulary(self) -> defaultdict[str, list[str]]:
        """Collect the words of everyday names by their first letter, the most usual first."""
        everyday = list(islice(self.concepts.items(), self.everyday))
        names = [n for concept, entry in everyday for n in (concept, *entry.names, *entry.forms)]
        names += sorted(self.short.difference(names))
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


def _is_name(text: str, tokens: list[tuple[int, int, int, str]], i: int) -> bool:
    """Tell whether a word is capitalised within a sentence: "Mr Bager" is no badger."""
    start, end = tokens[i][:2]
    if not text[start].isupper() or (end - start > 1 and text[start:end].isupper()):
        return False
    return i > 0 and not _SENTENCE.search(text[tokens[i - 1][2] : start])


def _reach(tokens: list[tuple[int, int, int, str]], text: str) -> list[int]:
    """Count for each token how many from there on may be one name, no punctuation between them."""
    reach = [1] * len(tokens)
    for i in range(len(tokens) - 2, -1, -1):
        gap = text[tokens[i][2] : tokens[i + 1][0]]
        if gap == " " or _GAP.fullmatch(gap):
            reach[i] = min(reach[i + 1] + 1, MAX_WORDS)
    return reach
