"""Spell a text plainly, and remember where each character came from."""

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html.entities import html5
from typing import Any, TypeVar

# An HTML entity, or a run of text up to the next one.
_UNIT = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});|&|[^&]+")
_CLUSTER = re.compile("(?s:.)[\u0300-\u036f]*")  # a character with its combining marks
# Marks that compose with no letter say nothing to an uncased vocabulary; a hyphen is a hyphen.
_PLAIN = {**dict.fromkeys(range(0x300, 0x370)), 0x2010: "-"}

Item = TypeVar("Item", bound=Any)


@dataclass(frozen=True)
class NormalisedText:
    """A text as the model reads it, with offsets into the original."""

    text: str
    original: str
    origins: Sequence[tuple[int, int]] | None = None
    """Start and end in the original of each character; None where both texts are equal."""

    def restore(self, item: Item, name: str = "text") -> Item:
        """Return a dataclass with the original's ``start`` and ``end``, and the text between.

        Args:
            item: Its offsets are into this text, and not equal.
            name: Its field that quotes the text.
        """
        if self.origins is None:
            return item
        start, end = self.origins[item.start][0], self.origins[item.end - 1][1]
        return replace(item, start=start, end=end, **{name: self.original[start:end]})


def normalise(text: str) -> NormalisedText:
    """Return a text without HTML entities and invisible characters (Unicode category Cf), in NFKC.

    Symbols that NFKC spells out ("™", "…") stay: they are no letters of the word before them.
    """
    if text.isascii() and "&" not in text:
        return NormalisedText(text, text)
    characters = []
    for match in _UNIT.finditer(text):
        unit, start, end = match[0], *match.span()
        if unit.startswith("&#") or unit[1:] in html5:
            characters += [(c, start, end) for c in html.unescape(unit)]
        else:
            characters += [(c, i, i + 1) for i, c in enumerate(unit, start)]
    visible = [c for c in characters if c[0] < "\x7f" or unicodedata.category(c[0]) != "Cf"]
    parts, origins = [], []
    for match in _CLUSTER.finditer("".join(c for c, *_ in visible)):
        form = unicodedata.normalize("NFKC", match[0])
        if len(form) > len(match[0]) and not match[0].isalnum():
            form = match[0]
        form = form.translate(_PLAIN)
        parts.append(form)
        origins += [(visible[match.start()][1], visible[match.end() - 1][2])] * len(form)
    return NormalisedText("".join(parts), text, origins)
