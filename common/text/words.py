"""Words and paragraphs of a text with exact character offsets."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Words as the treebank-style tokens of MultiNERD: clitics and punctuation stand alone, hyphens,
# abbreviations and decimal points stay inside. "_" is a blank inside a word ("no_cow").
_WORD = re.compile(
    r"""
    (?:[^\W\d_]\.){2,}                            # U.S., e.g.
    | [A-Z]\.(?=\s+[A-Z])                         # the J. of "J. Smith"
    | \b(?:Dr|Jr|Mr|Mrs|Ms|Prof|Sr|St|Mt|No|Vol|vs)\.(?=\s)
    | n['’]t\b | ['’](?:s|re|ve|ll|d|m)\b         # clitics
    | [^\W_]+?(?=n['’]t\b)                       # the "do" of "don't"
    | [^\W_]+(?=-free\b)                        # the "cow" of "cow-free"
    # red-tailed, AT&T, 5,000
    | [^\W_]+(?:-[^\W_]+|(?<=[A-Z])&(?=[A-Z])[^\W_]+|[.,:/](?=\d)[^\W_]+)*
    | [^\w\s]
    | (?<!\w)_++(?!\w)                           # a blank to fill in
    | (?<!\s)[^\S\n\t]*+[\n\t]\s*+               # the end of a line, a tab
    """,
    re.VERBOSE,
)

_BLANK_LINE = re.compile(r"\n\s*\n")


@dataclass(frozen=True)
class Word:
    """A word and its character offsets in the text."""

    text: str
    start: int
    end: int


def split_words(text: str) -> list[Word]:
    r"""Return the words of a text with exact character offsets, in time linear in its length.

    Between two words of a paragraph, white space that ends a line is the word "\n", and any other
    with a tab the word "\t": lists and tables need them.
    """
    words: list[Word] = []
    gap: Word | None = None
    for match in _WORD.finditer(text):
        found, start = match[0], match.start()
        if found.isspace():
            sign = "\n" if "\n" in found else "\t"
            place = start + found.index(sign)
            blank = not words or _BLANK_LINE.search(found)
            gap = None if blank else Word(sign, place, place + 1)
            continue
        if gap:
            words.append(gap)
            gap = None
        words.append(Word(found, start, match.end()))
    return words


def paragraphs(text: str, words: Sequence[Word]) -> list[list[Word]]:
    """Group the words of a text by its paragraphs, at least one; no denial reaches further."""
    parts: list[list[Word]] = [[]]
    for word in words:
        if parts[-1] and _BLANK_LINE.search(text, parts[-1][-1].end, word.start):
            parts.append([])
        parts[-1].append(word)
    return parts


def word_shape(word: str) -> int:
    """Return which letters are capitals: 0 none, 1 the first, 2 all, 3 others."""
    if word.islower() or not any(map(str.isupper, word)):
        return 0
    if len(word) > 1 and word.isupper():
        return 2
    return 1 if word[0].isupper() and not any(map(str.isupper, word[1:])) else 3
