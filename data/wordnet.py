"""Reads Princeton WordNet's database files (formats: wndb(5WN), senseidx(5WN)).

Debian's package ``wordnet-base`` puts them into ``/usr/share/wordnet``. ``data.noun`` holds the
synsets with their is-a pointers, ``index.*`` the senses of each lemma in order of frequency, and
``cntlist.rev`` how often each sense was tagged in WordNet's text corpora; ``*.exc`` lists irregular
inflections.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from common.errors import InputError

DEFAULT_FOLDER = Path("/usr/share/wordnet")
PARTS_OF_SPEECH = ("noun", "verb", "adj", "adv")
_KEY_TYPES = {
    "1": "noun",
    "2": "verb",
    "3": "adj",
    "4": "adv",
    "5": "adj",
}  # 5: adjective satellite


class Synset(NamedTuple):
    """A noun's meaning."""

    offset: str
    file: str
    """Number of the lexicographer's file: "05" is noun.animal, "20" noun.plant (lexnames(5WN))."""
    lemmas: tuple[str, ...]
    """Its words as spelt there, spaces for underscores, the most usual one first."""
    above: tuple[str, ...]
    """Offsets of its hypernyms."""
    members: tuple[str, ...] = ()
    """Offsets of what belongs to it: the kinds of a genus."""
    marked: bool = False
    """Whether its words belong to one usage: slang, disparagement, slurs."""


class Sense(NamedTuple):
    """One of the meanings of a lemma."""

    part: str
    """One of ``PARTS_OF_SPEECH``."""
    offset: str
    """Of the synset, unique within the part of speech."""
    count: int
    """How often it was tagged, 0 for most."""


def read_nouns(folder: Path) -> Iterator[Synset]:
    """Read the synsets of ``data.noun``.

    Raises:
        InputError: If the file cannot be read.
    """
    path = folder / "data.noun"
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line[0] != " ":  # the licence is indented
                    yield _synset(line.partition(" | ")[0].split(" "))
    except (OSError, ValueError, IndexError) as error:
        raise InputError(f"{path}: {error}; expected WordNet's data.noun") from error


def read_senses(folder: Path) -> dict[str, list[Sense]]:
    """Read the senses of every lemma, nouns first, each part of speech in order of frequency.

    Returns:
        Senses by lemma, lower case with spaces.

    Raises:
        InputError: If a file cannot be read.
    """
    counts = _read_counts(folder / "cntlist.rev")
    senses: defaultdict[str, list[Sense]] = defaultdict(list)
    for part in PARTS_OF_SPEECH:
        path = folder / f"index.{part}"
        try:
            with open(path, encoding="utf-8") as file:
                for line in file:
                    if line[0] == " ":
                        continue
                    lemma, _, number, *rest = line.split()
                    for rank, offset in enumerate(rest[-int(number) :], 1):
                        count = counts.get((lemma, part, rank), 0)
                        senses[lemma.replace("_", " ")].append(Sense(part, offset, count))
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: {error}; expected WordNet's index.{part}") from error
    return dict(senses)


def read_inflections(folder: Path) -> Iterator[str]:
    """Read the irregular inflections of all lemmas: "geese", "sawn".

    Raises:
        InputError: If a file cannot be read.
    """
    for part in PARTS_OF_SPEECH:
        path = folder / f"{part}.exc"
        try:
            with open(path, encoding="utf-8") as file:
                yield from (line.partition(" ")[0].strip() for line in file)
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: {error}; expected WordNet's {part}.exc") from error


def _synset(fields: list[str]) -> Synset:
    """Read ``offset file type n (word id)*n p (symbol offset part source/target)*p``."""
    end = 4 + 2 * int(fields[3], 16)
    lemmas = tuple(word.replace("_", " ") for word in fields[4:end:2])
    pointers = fields[end + 1 : end + 1 + 4 * int(fields[end])]
    symbols = pointers[::4]
    pairs = list(zip(symbols, pointers[1::4], strict=True))
    above, members = (tuple(o for s, o in pairs if s == symbol) for symbol in ("@", "%m"))
    return Synset(fields[0], fields[1], lemmas, above, members, ";u" in symbols)


def _read_counts(path: Path) -> dict[tuple[str, str, int], int]:
    """Read ``cntlist.rev``: ``lemma%type:... rank count``, by lemma, part of speech and rank."""
    counts: dict[tuple[str, str, int], int] = {}
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                key, rank, count = line.split()
                lemma, _, rest = key.partition("%")
                counts[lemma, _KEY_TYPES[rest[0]], int(rank)] = int(count)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: {error}; expected WordNet's cntlist.rev") from error
    return counts
