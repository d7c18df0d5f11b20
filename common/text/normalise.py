"""Read a text as a person reads it, and remember where each character came from."""

import html
import re
import unicodedata
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from html.entities import html5
from typing import Any, TypeVar

from common.text import markup
from common.text.edits import Edit, apply
from common.text.hashtags import hashtags
from common.text.symbols import symbols

# What a plain text has none of.
_SPECIAL = re.compile(
    r"[^\x00-\x7f]|[<&*_`\[#\\@]|://|-[ \t]*+\r?\n|www\.|\.(?:com|org|net|edu|gov)\b", re.IGNORECASE
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_HYPHEN = re.compile("(?<=[^\\W\\d_])[-\u00ad\u2010][ \t]*+\r?\n[ \t]*+(?=[^\\W\\d_])")
_FOREIGN = re.compile("[^\x00-\x7f]")
# A character beyond ASCII, or one with combining marks.
_CLUSTER = re.compile("(?s:.)[\u0300-\u036f]+|[^\x00-\x7f]")
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


def normalise(text: str, names: Container[str] = ()) -> NormalisedText:
    """Return a text without what a person does not see or read in it, in NFKC.

    HTML, Markdown, addresses, entities, hyphens at line ends and invisible characters (Unicode
    category Cf) go; hashtags are cut into words; emoji of animals, ticks and crosses are spelt out.
    Symbols that NFKC spells out ("™", "…") stay: they are no letters of the word before them.

    Args:
        text: Any.
        names: Lower-case names of animals, which no hashtag is cut in.
    """
    read, origins = text, None
    if _SPECIAL.search(text):
        for step in (*_STEPS, lambda now: hashtags(now, names), symbols):
            if edits := list(step(read)):
                origins = origins or [(i, i + 1) for i in range(len(text))]
                read, origins = apply(read, origins, edits)
    return NormalisedText(read, text, origins)


def _entities(text: str) -> Iterator[Edit]:
    """Yield the edits that decode HTML entities."""
    for match in _ENTITY.finditer(text):
        if match[0].startswith("&#") or match[0][1:] in html5:
            yield *match.span(), html.unescape(match[0])


def _hyphens(text: str) -> Iterator[Edit]:
    """Yield the edits that join words cut at the end of a line."""
    return ((*match.span(), "") for match in _HYPHEN.finditer(text))


def _invisible(text: str) -> Iterator[Edit]:
    """Yield the edits that drop invisible characters."""
    for match in _FOREIGN.finditer(text):
        if unicodedata.category(match[0]) == "Cf":
            yield *match.span(), ""


def _compatible(text: str) -> Iterator[Edit]:
    """Yield the edits that spell characters plainly."""
    if text.isascii():
        return
    for match in _CLUSTER.finditer(text):
        form = unicodedata.normalize("NFKC", match[0])
        if len(form) > len(match[0]) and not match[0].isalnum():
            form = match[0]
        form = form.translate(_PLAIN)
        if form != match[0]:
            yield *match.span(), form


_STEPS = (
    *(markup.html, markup.addresses, markup.markdown),
    *(_entities, _hyphens, _invisible, _compatible),
)
