"""Splits of examples into train, val and test: drawn once, saved, and read from then on."""

import csv
import hashlib
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from common.errors import InputError

SPLITS = ("train", "val", "test")
# Of each 25 examples 2 go to val and 3 to test, spread so that few in a row leave training.
HELD_OUT, PERIOD = {4: "test", 8: "val", 12: "test", 16: "val", 20: "test"}, 25


class Example(NamedTuple):
    """What a split depends on; the key names an example within its data, such as by its path.

    Each split gets its share of each label and, within it, of each source. A group stays together.
    """

    key: str
    label: str
    source: str = ""
    group: str = ""
    split: str = ""


def draw_splits(examples: Sequence[Example], contents: Sequence[str], seed: int) -> list[str]:
    """Draw the splits of the examples that have none; given ones are never touched.

    Examples of one group or of equal content share a split, so that none is tested on what it was
    trained on. Of each label with at least three examples (or groups) each split gets one.

    Args:
        examples: In any order: the result depends on their keys and on the seed alone.
        contents: For each what is the same for its copies (see `equal_files`), or nothing.
        seed: Of the draw.
    """
    units = _units(examples, contents)
    first = [examples[unit[0]] for unit in units]
    given = [next((examples[i].split for i in unit if examples[i].split), "") for unit in units]
    places = list(given)
    strata: dict[tuple[str, str], list[int]] = defaultdict(list)
    for n, example in enumerate(first):
        if not given[n]:
            strata[example.label, example.source].append(n)
    rng = random.Random(seed)
    for stratum in strata.values():
        rng.shuffle(stratum)
        start = rng.randrange(PERIOD)  # so that small strata are not all rounded the same way
        for i, n in enumerate(stratum, start):
            places[n] = HELD_OUT.get(i % PERIOD, "train")
    labels: dict[str, list[int]] = defaultdict(list)
    for n, example in enumerate(first):
        labels[example.label].append(n)
    few = {k for k, members in labels.items() if len(members) < 3 and not all(map(bool, given))}
    for label in labels.keys() - few:
        _cover(labels[label], units, given, places)
    if few:
        names = ", ".join(sorted(few)[:5])
        print(f"too few examples for all splits: {len(few)} labels, e.g. {names}", file=sys.stderr)
    drawn = {i: places[n] for n, unit in enumerate(units) for i in unit}
    return [example.split or drawn[i] for i, example in enumerate(examples)]


def _units(examples: Sequence[Example], contents: Sequence[str]) -> list[list[int]]:
    """Return the indices of examples that belong together, each unit and all units by key."""
    parents = list(range(len(examples)))

    def root(i: int) -> int:
        while parents[i] != i:
            parents[i] = i = parents[parents[i]]
        return i

    for column in ([example.group for example in examples], contents):
        seen: dict[str, int] = {}
        for i, value in enumerate(column):
            if value:
                parents[root(i)] = root(seen.setdefault(value, i))
    units = defaultdict(list)
    for i in sorted(range(len(examples)), key=lambda i: examples[i].key):
        units[root(i)].append(i)
    return list(units.values())


def _cover(
    members: Sequence[int], units: Sequence[list[int]], given: Sequence[str], places: list[str]
) -> None:
    """Move drawn units of one label until each split has one, the smallest of the fullest split."""
    for missing in SPLITS:
        counts = Counter(places[n] for n in members)
        spare = [n for n in members if not given[n] and counts[places[n]] > 1]
        if not counts[missing] and spare:
            places[min(spare, key=lambda n: (-counts[places[n]], len(units[n]), n))] = missing


def equal_files(paths: Sequence[Path]) -> list[str]:
    """Return for each file the hash of its content, if another one may equal it, else nothing."""
    sizes = [path.stat().st_size if path.is_file() else 0 for path in paths]
    shared = Counter(sizes)
    return [
        hashlib.sha256(path.read_bytes()).hexdigest() if size and shared[size] > 1 else ""
        for path, size in zip(paths, sizes, strict=True)
    ]


def write_splits(examples: Iterable[Example], path: Path) -> None:
    """Write a table that is a manifest, too: ``path,label,source,group,split``."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", *Example._fields[1:]), *examples])


def read_splits(path: Path) -> dict[str, str]:
    """Read the split of each example, by its key.

    Raises:
        InputError: If the table cannot be read.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return {row["path"]: row["split"] for row in csv.DictReader(file)}
    except (OSError, KeyError, ValueError) as error:
        raise InputError(f"{path}: not a table of splits ({error})") from error
