"""Edits of a text, and the text after them with the place where each character came from."""

from collections.abc import Iterable

Edit = tuple[int, int, str]
"""Start and end of what goes, and what stands there instead; with equal offsets it is put in."""

Origins = list[tuple[int, int]]
"""Start and end in the original of each character."""


def apply(text: str, origins: Origins, edits: Iterable[Edit]) -> tuple[str, Origins]:
    """Return a text and its origins after edits, which come in order and do not overlap.

    Each new character comes from all that it stands for.
    """
    parts, found, last = [], [], 0
    for start, end, new in edits:
        parts += text[last:start], new
        found += origins[last:start]
        found += [_origin(origins, start, end)] * len(new)
        last = end
    return "".join([*parts, text[last:]]), found + origins[last:]


def _origin(origins: Origins, start: int, end: int) -> tuple[int, int]:
    """Return where a span came from; one without characters is the border between two."""
    if start < end:
        return origins[start][0], origins[end - 1][1]
    before, after = origins[start - 1 : start], origins[start : start + 1]
    if before == after and before:
        return before[0]  # inside one character of the original
    border = before[0][1] if before else after[0][0] if after else 0
    return border, border
