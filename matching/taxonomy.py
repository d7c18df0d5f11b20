"""Names of animals and the is-a relations between them.

A concept is a kind of animal ("killer whale"), a group ("big cat") or a form by age or sex
("kitten"). Its id is the name that people read: lower case, words separated by one space. The
classifier's labels are spelt otherwise ("killer_whale", "killer+whale"); ``Taxonomy.concept_of`` is
the one place where a label becomes a concept. Which concepts are classes is for the classifier to
say, so labels are arguments here and nothing in the data depends on them.

The data and the meaning of its marks ``basic`` and ``form`` are described in ``taxonomy_file.py``.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from common.errors import InputError
from matching.taxonomy_file import DEFAULT_FILE, ROOT, WORD, Concept, normalise, read_taxonomy

MAX_COMPOUND = 60  # characters; "killer whale calf" is a compound, a longer run of names is a list


class Judgement(NamedTuple):
    """What answers for a concept."""

    classes: frozenset[str]
    """Labels whose probabilities add up to the concept's; empty when it is outside knowledge."""
    exact: bool
    """False when a coarser concept stands in, so that the finer part is not checked."""
    by: tuple[str, ...]
    """The concept itself, or those that stand in for it."""


class Taxonomy:
    """Looks up names and walks the is-a relations.

    Args:
        concepts: The entries by id.
        plurals: Irregular plurals by singular word.

    Raises:
        InputError: If two concepts claim a name, or an is-a relation is unknown or circular.
    """

    def __init__(self, concepts: dict[str, Concept], plurals: dict[str, tuple[str, ...]]):
        self.concepts = concepts
        self.plurals = plurals
        self._above: dict[str, frozenset[str]] = {}
        for concept in concepts:
            self._climb(concept, ())
        self._index: dict[str, str] = {}  # every name and plural -> concept
        for concept, entry in concepts.items():
            for name in (concept, *entry.names):
                other = self._index.setdefault(normalise(name), concept)
                if other != concept:
                    raise InputError(f"taxonomy: name '{name}' is claimed by {other} and {concept}")
        for name, concept in list(self._index.items()):
            for plural in _plurals(name, plurals):
                self._index.setdefault(plural, concept)
        # so that "polarbear" and "cat fish" are known too
        self._squeezed = {name.replace(" ", ""): c for name, c in self._index.items()}
        self._longest = max(name.count(" ") + 1 for name in self._index)

    @classmethod
    def load(cls, path: Path = DEFAULT_FILE) -> "Taxonomy":
        """Read a taxonomy file.

        Args:
            path: A JSON file as described in ``taxonomy_file.py``.

        Returns:
            The taxonomy.

        Raises:
            InputError: If the file cannot be read or breaks a rule; the message names the entry.
        """
        return cls(*read_taxonomy(path))

    def with_classes(self, classes: Iterable[str]) -> "Taxonomy":
        """Add the classes that have no concept yet, each right below the root.

        Args:
            classes: The classifier's labels.

        Returns:
            A taxonomy in which every label answers to its own name (this one, if all did before).
        """
        unknown = [name for name in map(normalise, classes) if name and name not in self._index]
        if not unknown:
            return self
        own = {name: Concept(names=(), is_a=(ROOT,)) for name in unknown}
        return Taxonomy(self.concepts | own, self.plurals)

    def concept_of(self, label: str) -> str:
        """Return the concept that a classifier's label stands for."""
        name = normalise(label)
        return self._index.get(name, name)

    def names(self, concept: str) -> list[str]:
        """Return the names a concept answers to, its id first."""
        return [concept, *self.concepts[concept].names]

    def names_for_classes(self, classes: Iterable[str]) -> dict[str, list[str]]:
        """Return the names that each of the classifier's labels answers to."""
        labels = tuple(classes)
        known = self.with_classes(labels)
        return {label: known.names(known.concept_of(label)) for label in labels}

    def resolve(self, mention: str) -> str | None:
        """Find the concept that a mention names.

        The longest known tail wins, because in English the kind comes last: "big brown cow" is a
        cow. A form by age or sex gives way to a kind before it: "wolf cub" is a wolf.

        Args:
            mention: Any spelling: upper case, plural, hyphens, underscores.

        Returns:
            The concept, or None when no tail of the mention is known.
        """
        words = normalise(mention).split()
        form = None
        while words:
            first, concept = self._tail(words)
            if concept is None or not self.concepts[concept].form:
                return concept or form
            form = form or concept
            del words[first:]
        return form

    def find(self, text: str) -> list[tuple[int, int, str]]:
        """Find every taxonomy name in a text, whole words only, longest match first.

        It does not know idioms or other senses; the recogniser does. A form and a kind side by side
        ("bear cub", "bull elephant") are one mention.

        Args:
            text: Any text.

        Returns:
            ``(start, end, concept)`` in the order of the text, with character offsets.
        """
        words = [(w.start(), w.end(), w.group().lower()) for w in WORD.finditer(text)]
        found: list[tuple[int, int, str]] = []
        i = 0
        while i < len(words):
            size = min(self._longest, len(words) - i)
            while size:
                concept = self._index.get(" ".join(w for _, _, w in words[i : i + size]))
                start, end = words[i][0], words[i + size - 1][1]
                if concept and not re.search(r"[^\w\s-]", text[start:end]):
                    self._append(found, (start, end, concept), text)
                    break
                size -= 1
            i += max(size, 1)
        return found

    def is_below(self, concept: str, other: str) -> bool:
        """Tell whether a concept is the other one or a kind of it."""
        return other in self._above.get(concept, (concept, ROOT))

    def classes_at_or_below(self, concept: str, classes: Iterable[str]) -> frozenset[str]:
        """Return the labels among ``classes`` that are the concept or a kind of it."""
        return frozenset(c for c in classes if self.is_below(self.concept_of(c), concept))

    def judged_by(self, concept: str, classes: Iterable[str]) -> Judgement:
        """Decide which classes answer for a concept.

        Classes at or below it answer exactly. Without any, the nearest concepts above stand in that
        are classes themselves, are marked ``basic``, or are what a ``form`` is a form of. A concept
        with none of these, as "penguin" among mammals, is outside the classifier's knowledge.

        Args:
            concept: A concept of this taxonomy.
            classes: The classifier's labels.

        Returns:
            The classes, whether they are exact, and the concepts that were used.
        """
        labels = tuple(classes)
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

    def _tail(self, words: list[str]) -> tuple[int, str | None]:
        """Find the longest known tail: the index of its first word and its concept."""
        if len(words) <= self._longest and (whole := self._squeezed.get("".join(words))):
            return 0, whole
        for first in range(max(0, len(words) - self._longest), len(words)):
            if concept := self._index.get(" ".join(words[first:])):
                return first, concept
        return 0, None

    def _climb(self, concept: str, path: tuple[str, ...]) -> frozenset[str]:
        """Collect a concept and everything above it; ``path`` is the way here, to see cycles."""
        if concept in path:
            raise InputError(f"taxonomy: is_a goes round: {' > '.join((*path, concept))}")
        if concept not in self._above:
            above = {concept}
            for parent in self.concepts[concept].is_a:
                if parent not in self.concepts:
                    raise InputError(f"taxonomy: '{concept}' is_a '{parent}', which is no concept")
                above |= self._climb(parent, (*path, concept))
            self._above[concept] = frozenset(above)
        return self._above[concept]

    def _append(
        self, found: list[tuple[int, int, str]], match: tuple[int, int, str], text: str
    ) -> None:
        """Append a match, or merge it with the one before when one of the two is a form."""
        start, end, concept = match
        if found and text[found[-1][1] : start] in (" ", "-"):
            before, _, other = found[-1]
            has_form = self.concepts[other].form or self.concepts[concept].form
            if has_form and end - before <= MAX_COMPOUND:
                found[-1] = (before, end, self.resolve(text[before:end]) or concept)
                return
        found.append(match)


def _plurals(name: str, irregular: dict[str, tuple[str, ...]]) -> list[str]:
    """Return the plurals of a name: those listed for its last word, or the one by rule."""
    rest, _, word = name.rpartition(" ")
    if word in irregular:
        forms: tuple[str, ...] = irregular[word]
    elif re.search(r"(s|x|z|ch|sh)$", word):
        forms = (word + "es",)
    elif re.search(r"[^aeiou]y$", word):
        forms = (word[:-1] + "ies",)
    else:
        forms = (word + "s",)
    return [f"{rest} {form}".strip() for form in forms]
