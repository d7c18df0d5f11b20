"""Hashtags cut into words."""

import re
from collections.abc import Container, Iterator
from functools import lru_cache

from common.text.edits import Edit

_HASHTAG = re.compile(r"(?<![\w#&])#(?=[\d_]*[^\W\d_])(\w++)")
_LONGEST = 100  # letters of a hashtag that is cut; people write none that are longer
_SHORTEST = 5  # letters of "nocow"
_LONG = 8  # letters from which a name may be several words, "redpanda"
_NEWER = {"instagram", "tiktok"}  # words than the dictionary
_NAME = 4  # pieces that one name may have been cut into


def hashtags(text: str, names: Container[str] = ()) -> Iterator[Edit]:
    """Yield the edits that cut hashtags into words: by capitals and digits, else by a dictionary.

    Args:
        text: Any.
        names: Lower-case names that stay whole though the dictionary may lack them.
    """
    if "#" not in text:
        return
    for match in _HASHTAG.finditer(text):
        yield match.start(), match.start(1), ""
        position = match.start(1)
        for word in _words(match[1], names) if len(match[1]) <= _LONGEST else ():
            if position > match.start(1):
                yield position, position, " "
            position += len(word)


def _words(tag: str, names: Container[str]) -> Iterator[str]:
    """Yield the words of a hashtag, which joined are the hashtag."""
    for part in _parts(tag):
        word = part.lower()
        short = len(part) < (_LONG if word in names else _SHORTEST)
        if short or not (part.isascii() and part.isalpha()):
            yield part
            continue
        position = 0
        for size in _whole([*_dictionary(word)], names):
            yield part[position : position + size]
            position += size


def _parts(tag: str) -> Iterator[str]:
    """Yield the parts of a hashtag that its capitals and digits tell: "no|GPS|Cats|2024"."""
    begin = 0
    for i in range(1, len(tag)):
        before, here, after = tag[i - 1], tag[i], tag[i + 1 : i + 2]
        if (
            (here.isupper() and (before.islower() or (before.isupper() and after.islower())))
            or here.isdigit() != before.isdigit()
        ) and "_" not in (before, here):
            yield tag[begin:i]
            begin = i
    yield tag[begin:]


@lru_cache(maxsize=1024)
def _dictionary(word: str) -> tuple[str, ...]:
    """Return the words that a run of lower-case letters most probably consists of."""
    import wordninja  # 20 MB, and hardly ever needed

    return tuple(wordninja.split(word))


def _whole(words: list[str], names: Container[str]) -> list[int]:
    """Return the lengths of words, names that were cut in two or more put together again.

    Where a piece is no word, the dictionary did not know it all, and nothing is cut.
    """
    found, i = [], 0
    while i < len(words):
        sizes = range(min(_NAME, len(words) - i), 1, -1)
        size = next((n for n in sizes if _is_cut_name(words[i : i + n], names)), 1)
        found.append("".join(words[i : i + size]))
        i += size
    if any(len(word) == 1 and word not in "ai" for word in found):
        return [sum(map(len, words))]
    return list(map(len, found))


def _is_cut_name(words: list[str], names: Container[str]) -> bool:
    """Tell whether words are a name only when joined: "her on", but not "golden retriever"."""
    joined = "".join(words)
    return joined in _NEWER or (joined in names and " ".join(words) not in names)
