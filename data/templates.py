r"""Templates of sentences: slots filled with names, and what is marked in them.

- ``{+}`` and ``{-}`` are slots for an affirmed and a denied animal, ``{~}`` for an animal's name
  that claims nothing ("a statue of a {~}"), ``{=}`` for the name of a group that stands for a kind
  named elsewhere ("the {=} is a {+}"), ``{0}`` for a thing; each with ``s`` for several (``{+s}``).
  ``{n}`` is a given name.
- ``[+cow]``, ``[-cow]`` and ``[=bird]`` mark a name; ``<no>`` marks words that deny one.
- ``«a|b»`` is either a or b. ``\n`` is a line break.
"""

import random
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from common.errors import InputError
from common.text.normalise import normalise
from common.text.words import split_words
from matching.taxonomy import Taxonomy

BASE = 5  # weight of a favourite whose word has no other senses in the training data
HELD_OUT = 20  # one of so many templates and names is for validation
# Share of slots filled with the animals that people name most, with names that the hand-written
# layer of the taxonomy lists, and with any name of the taxonomy.
TIERS = (0.5, 0.35, 0.15)
COMMON, KNOWN = 700, 2500  # the most usual things, and those that are not rare
THING_TIERS = (0.4, 0.25, 0.35)  # the same for things: the most usual, the known, any
# Share of texts in which things stand where animals might, and of their slots; otherwise the
# sentence alone would tell that a word is an animal.
WITH_THINGS, THINGS = 0.45, 0.65
GIVEN = 0.3  # of the things without an article: a given name
GROUPS = (*("animal",) * 5, "creature", "beast", "critter", "species", "pet")

MARK = re.compile(r"\{([+~=0n-])(s?)\}|\[([+=-])([^\]\n]+)\]|<([^<>]+)>")
_EITHER = re.compile("«([^«»]*)»")
_DETERMINED = re.compile(r"\b(an?|the|this|that|\d+|one|two|my|our|your|\w+er) $", re.I)
_QUOTES = ("“”", '""', "''", "‘’", "()", "[]", "**", "<>")


@dataclass
class Marked:
    """A text with marked spans of characters."""

    text: str
    mentions: list[tuple[int, int, str]]  # start, end, one of "+-="
    cues: list[tuple[int, int]]


def held_out(item: str) -> bool:
    """Tell whether a template or a name is kept for validation, whatever stands beside it."""
    return zlib.crc32(item.encode()) % HELD_OUT == 0


class Names:
    """What fills the slots, singular and plural.

    Args:
        taxonomy: Where the names of animals come from.
        favourites: Names that people use most.
        other_senses: Words that stand for something else in the training data. A favourite is
            drawn the more often, so that no name is seen in other senses only.
        listed: Concepts of its hand-written layer.
        things: Nouns that name no animal, the most usual first.
        given: Given names.
        validation: Whether to use the held-out names and things, otherwise only the others.
            Favourites are in both.
    """

    def __init__(
        self,
        taxonomy: Taxonomy,
        favourites: Iterable[str],
        other_senses: Iterable[str],
        listed: Iterable[str],
        things: Sequence[str],
        given: Sequence[str],
        validation: bool = False,
    ):
        import inflect

        self.grammar, self.validation = inflect.engine(), validation
        seen = Counter(other_senses)
        pairs = [self._pair(name, taxonomy) for name in favourites if taxonomy.resolve(name)]
        self.animals = (
            [pair for pair in pairs for _ in range(BASE + sum(seen[name] for name in set(pair)))],
            self._animals(taxonomy, listed),
            self._animals(taxonomy, taxonomy.concepts),
        )
        ranks = (things[:COMMON], things[:KNOWN], things)
        self.things = tuple(
            [(thing, self.grammar.plural_noun(thing)) for thing in self._part(rank)]
            for rank in ranks
        )
        self.given = self._part(given)

    def _part(self, items: Iterable[str]) -> list[str]:
        items = list(items)
        return [item for item in items if held_out(item) == self.validation] or items

    def _pair(self, name: str, taxonomy: Taxonomy) -> tuple[str, str]:
        plural = self.grammar.plural_noun(name)
        return name, plural if taxonomy.resolve(plural) == taxonomy.resolve(name) else name

    def _animals(self, taxonomy: Taxonomy, concepts: Iterable[str]) -> list[tuple[str, str]]:
        names = {name for concept in concepts for name in taxonomy.names(concept)}
        spelt = sorted(name for name in names if re.fullmatch(r"[A-Za-z' -]+", name))
        return [self._pair(name, taxonomy) for name in self._part(spelt)]

    def draw(self, kind: str, plural: bool, chance: random.Random) -> str:
        """Return a name for a slot, spelt as people do: lower case, now and then with capitals.

        Args:
            kind: The slot's: one of ``+-~=0n``.
            plural: Whether it is for several.
            chance: Source of the choice.
        """
        if kind == "n":
            return chance.choice(self.given)
        if kind == "=":
            group = chance.choice(GROUPS)
            return self.grammar.plural_noun(group) if plural else group
        thing = kind == "0"
        (pairs,) = chance.choices(*((self.things, THING_TIERS) if thing else (self.animals, TIERS)))
        name = chance.choice(pairs)[plural]
        return name.title() if chance.random() < 0.1 else name


def fill(template: str, names: Names, chance: random.Random) -> Marked:
    """Fill the slots of a template and take its marks out.

    Raises:
        InputError: If the template has a slot inside a cue.
    """
    template = _EITHER.sub(lambda m: chance.choice(m[1].split("|")), template).replace("\\n", "\n")
    plain = MARK.sub("", template)
    shouted = plain.isupper()
    relaxed = not any(map(str.isupper, plain)) and not plain.endswith(".")
    if chance.random() < 0.08:
        template = re.sub(r"(?<=\w)['’](?=\w)", "", template)  # dont, isnt
    things = THINGS if chance.random() < WITH_THINGS else 0.0
    text, mentions, cues, last = "", [], [], 0
    for mark in MARK.finditer(template):
        text += template[last : mark.start()]
        last = mark.end()
        kind, piece = mark[1] or mark[3], mark[4] or mark[5]
        if mark[5] and re.search(r"\{[+~=0n-]s?\}", piece):
            raise InputError(f"a cue with a slot inside: {template}")
        if mark[1]:
            if kind in "+-~" and chance.random() < things:
                bare = not mark[2] and not _DETERMINED.search(text)
                kind = "n" if bare and chance.random() < GIVEN else "0"
            piece = names.draw(kind, bool(mark[2]), chance)
            text = _with_article(text, piece, names, shouted)
            begins = not text.strip() or text.rstrip()[-1] in ".!?"
            if shouted:
                piece = piece.upper()
            elif begins and not relaxed:
                piece = piece[0].upper() + piece[1:]
        span = (len(text), len(text) + len(piece))
        if mark[5]:
            cues.append(span)
        elif kind in "+-=":
            mentions.append((*span, kind))
        text += piece
    denied = any(sign == "-" for *_, sign in mentions)
    return Marked(text + template[last:], mentions, cues if denied else [])


def _with_article(text: str, name: str, names: Names, shouted: bool) -> str:
    """Return the text before a name, its last word mended if it is "a" or "an"."""
    article = re.search(r"\b(an?) $", text, re.IGNORECASE)
    if not article:
        return text
    right = names.grammar.a(name.lower()).split()[0]
    right = right.upper() if shouted else right
    right = right.capitalize() if article[1][0] == "A" and not shouted else right
    return text[: article.start()] + right + " "


def insert(marked: Marked, place: int, piece: str) -> Marked:
    """Return a text with something inserted in front of a character, marks moved with it."""
    moved = lambda i: i + len(piece) * (i >= place)  # noqa: E731
    end = lambda i: i + len(piece) * (i > place)  # noqa: E731
    return Marked(
        marked.text[:place] + piece + marked.text[place:],
        [(moved(a), end(b), sign) for a, b, sign in marked.mentions],
        [(moved(a), end(b)) for a, b in marked.cues],
    )


def decorate(marked: Marked, chance: random.Random) -> Marked:
    """Return a text as people set it: in quotation marks, as an item of a list, over two lines."""
    if marked.mentions and chance.random() < 0.06:
        start, end, _ = chance.choice(marked.mentions)
        left, right = chance.choice(_QUOTES)
        marked = insert(insert(marked, end, right), start, left)
    blanks = [m.start() for m in re.finditer(" ", marked.text)]
    if blanks and chance.random() < 0.06:
        place = chance.choice(blanks)
        marked.text = marked.text[:place] + "\n" + marked.text[place + 1 :]
    if chance.random() < 0.04:
        marked = insert(marked, 0, chance.choice(("- ", "* ", "• ", "1. ", "> ", "(b) ", "RE: ")))
    draw = chance.random()
    if draw < 0.06:
        marked.text = marked.text.removesuffix(".")
    elif draw < 0.1:
        marked.text = marked.text.removesuffix(".") + chance.choice(("!", "!!", "...", " :)", "…"))
    return marked


def join(parts: Sequence[Marked], chance: random.Random) -> Marked:
    """Return several texts as one: a line after the other, or sentence by sentence."""
    rows = chance.random() < 0.25
    bullet = chance.choice(("", "", "- ", "* ")) if rows else ""
    text, mentions, cues = "", [], []
    for part in parts:
        if text and rows:
            text += "\n" + bullet
        elif text:
            text += " " if text[-1] in '.!?"”…' else ". "
        shift = len(text)
        mentions += [(start + shift, end + shift, sign) for start, end, sign in part.mentions]
        cues += [(start + shift, end + shift) for start, end in part.cues]
        text += part.text
    return Marked(text, mentions, cues)


def row_of(marked: Marked) -> dict[str, Any]:
    """Return a marked text as words with tags, read as texts are before the model."""
    read = normalise(marked.text)
    words = split_words(read.text)
    places = [read.restore(word) for word in words]
    tags, cues = ["O"] * len(words), [0] * len(words)
    for start, end, sign in marked.mentions:
        prefix = "B"
        for i, word in enumerate(places):
            if word.start < end and word.end > start:
                inside = start <= word.start and word.end <= end
                tags[i] = prefix + sign if inside else "?"
                prefix = "I"
    for start, end in marked.cues:
        for i, word in enumerate(places):
            if word.start < end and word.end > start:
                cues[i] = 1
    return {"tokens": [word.text for word in words], "mentions": tags, "cues": cues}
