"""What benchmarks share: commands with their time and memory, tables, photos, texts, folds."""

import csv
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from common.errors import InputError
from common.paths import ROOT

if TYPE_CHECKING:
    from classifier.config import ModelConfig
    from common.images.batches import Forward

SOURCE_FOLDS = 4


class Cost(NamedTuple):
    """What a process took."""

    seconds: float
    megabytes: float
    """Peak resident memory."""


def run_command(arguments: Sequence[object], cores: int | None = None) -> Cost:
    """Run a Python script of the repository on some cores.

    Raises:
        InputError: If it fails.
    """
    chosen = sorted(os.sched_getaffinity(0))[:cores]
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, chosen),
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 3):  # 3: some rows could not be answered
        raise InputError(f"{' '.join(map(str, arguments))}: exit code {process.returncode}")
    return Cost(seconds, usage.ru_maxrss / 1024)


def interleaved(
    commands: Mapping[str, Sequence[object]], repeats: int, cores: int | None = None
) -> dict[str, Cost]:
    """Median cost of commands that are run in turns, after one round to warm the disk."""
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for turn in range(repeats + 1):
        for name, arguments in commands.items():
            cost = run_command(arguments, cores)
            if turn:
                costs[name].append(cost)
    return {
        name: Cost(*(statistics.median(values) for values in zip(*rows, strict=True)))
        for name, rows in costs.items()
    }


def machine() -> str:
    """The machine, in a line."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    cpu = names[0] if names else platform.processor()
    flags = next((line for line in lines if line.startswith("flags")), "")
    known = ("avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16")
    has = ", ".join(flag for flag in known if flag in flags) or "no int8 or bf16 instructions"
    return (
        f"{cpu}, {len(os.sched_getaffinity(0))} cores ({has}), Python {platform.python_version()}"
    )


def print_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a Markdown table."""
    print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |", flush=True)


TEXTS = (
    *("There is a {} in the picture.", "A {} and a {} stand in the grass.", "Is that a {}?"),
    *(
        "No {} here, only a {}.",
        "I saw a {} yesterday, it looked at me.",
        "A {} without its young.",
    ),
)
ANIMALS = ("cow", "horse", "zebra", "raccoon", "fox", "lion", "polar bear", "collie", "otter")


def write_pairs(path: Path, photos: Sequence[Path], count: int, distinct: bool = True) -> None:
    """Write a table of pairs.

    Args:
        path: The csv.
        photos: Taken in turn, so that all are distinct while there are enough.
        count: Number of pairs.
        distinct: Whether each text occurs once.
    """
    chance = random.Random(0)
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "image"])
        for i in range(count):
            text = chance.choice(TEXTS).format(*chance.sample(ANIMALS, 2))
            text += f" Photo {i}." if distinct else ""
            writer.writerow([text, photos[i % len(photos)].resolve()])


def find_photos(folder: Path, count: int) -> list[Path]:
    """So many photos of a folder, in an order that mixes its sub-folders.

    Raises:
        InputError: If there are fewer.
    """
    from common.images.load import list_images

    photos = list_images(folder)
    if len(photos) < count:
        raise InputError(f"{folder}: {len(photos)} photos; the benchmark needs {count}")
    return random.Random(0).sample(photos, count)


def source_folds(sources: Sequence[str]) -> np.ndarray:
    """Return the fold of each photo, ``(N,)``: that of its source, folds of about equal size."""
    sizes, folds = [0] * SOURCE_FOLDS, {}
    for source, count in Counter(sources).most_common():
        folds[source] = sizes.index(min(sizes))
        sizes[folds[source]] += count
    return np.array([folds[source] for source in sources])


def with_classes(
    model: "Forward", config: "ModelConfig", classes: Sequence[str]
) -> "tuple[Forward, ModelConfig]":
    """Return a classifier whose answer is restricted to some of its classes.

    Raises:
        InputError: If it has not all of them.
    """
    from classifier.predict import class_columns  # imports torch, which most benchmarks do without

    columns = class_columns(config, classes)
    return lambda images: model(images)[:, columns], replace(config, classes=list(classes))
