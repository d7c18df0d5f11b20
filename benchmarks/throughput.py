"""Many pairs: pairs a second, memory, and where the time goes, against plain torch.

    python benchmarks/throughput.py                      # photos of FAUNACHECK_DATA
    python benchmarks/throughput.py --data ~/photos --largest 10000

Whole commands on tables of distinct texts and photos from disk, start-up included. Prints, as
Markdown: 1,000 pairs against the plain loop; the cost from 10 to 100,000 pairs, the largest two
with each photo several times; pairs a second by batch size and by cores; the share of the time in
which the two models compute.
"""

import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from benchmarks.measure import (
    find_photos,
    interleaved,
    machine,
    print_table,
    run_command,
    write_pairs,
)
from common.cli import ArgumentParser, run
from common.pairs import stream
from common.parallel import cores, ordered_map
from engine import verifier as engine

COUNTS = (10, 100, 1_000, 10_000, 100_000)
DISTINCT = 2_000  # photos of the largest tables, which would otherwise take hours
BATCHES = (1, 4, 8, 16, 32, 64)


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_data("animals", "a folder of photos")
    parser.add_argument(
        "--count", type=int, default=1_000, help="pairs against the plain loop (1000)"
    )
    parser.add_argument("--largest", type=int, default=COUNTS[-1], help="pairs of the last table")
    parser.add_argument("--share", type=int, default=10_000, help="pairs for the share of time")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each command (3)")
    return parser


class Stopwatch:
    """Adds up how long a function runs in all threads."""

    def __init__(self, function: Callable[..., Any]):
        self.function, self.seconds = function, 0.0
        self._lock = threading.Lock()

    def __call__(self, *arguments: Any) -> Any:
        """Call the function."""
        started = time.perf_counter()
        try:
            return self.function(*arguments)
        finally:
            with self._lock:
                self.seconds += time.perf_counter() - started


def answer_all(verifier: engine.Verifier, pairs: Sequence[tuple[str, str]]) -> float:
    """Seconds to answer pairs."""
    started = time.perf_counter()
    for answer in verifier.verify_many(pairs):
        answer.to_row()
    return time.perf_counter() - started


def read_pairs(path: Path) -> list[tuple[str, str]]:
    """The pairs of a table."""
    from common.pairs.table import PairTable

    return [pair for pair, _ in PairTable(path)]


def compare(folder: Path, photos: Sequence[Path], count: int, repeats: int) -> None:
    """The command against the plain loop."""
    table, output = folder / "compared.csv", folder / "compared.out.csv"
    write_pairs(table, photos, count)
    ours = ("pipeline.py", "--pairs", table, "--output", output, "--overwrite")
    plain = ("benchmarks/plain.py", "--pairs", table)
    costs = interleaved(
        {
            "Faunacheck": ours,
            "plain loop": plain,
            "plain loop, bf16": (*plain, "--mode", "bf16"),
        },
        repeats,
    )
    limit = models_alone(count)
    base = costs["Faunacheck"].seconds
    rows = [
        (name, f"{c.seconds:.1f}", f"{count / c.seconds:.0f}", f"{c.seconds / base:.1f}",
         f"{c.megabytes:.0f}")
        for name, c in costs.items()
    ]  # fmt: skip
    rows.append(
        (
            "the two models alone",
            f"{limit:.1f}",
            f"{count / limit:.0f}",
            f"{limit / base:.1f}",
            "",
        )
    )
    print_table((f"{count:,} pairs", "seconds", "pairs/s", "ratio", "peak MB"), rows)


def models_alone(count: int) -> float:
    """Seconds for both models on all cores with inputs that are there already."""
    verifier = engine.Verifier.load(threads=cores())
    images = np.zeros((stream.CHUNK, 3, 224, 224), np.float32)
    model, read = verifier.classifier.model, verifier.extractor.recognizer.model
    words = np.ones((1, 16), np.int64)
    inputs = dict.fromkeys(("input_ids", "attention_mask", "marks"), words)

    def work(_: int) -> None:
        model(images)
        for _ in range(stream.CHUNK):
            read(inputs)

    work(0)
    started = time.perf_counter()
    batches = -(-count // stream.CHUNK)
    for _ in ordered_map(work, range(batches), cores()):
        pass
    return (time.perf_counter() - started) * count / (batches * stream.CHUNK)


def grow(folder: Path, photos: Sequence[Path], largest: int) -> None:
    """Cost and memory against the number of pairs."""
    rows = []
    for count in [c for c in COUNTS if c <= largest]:
        table = folder / f"{count}.csv"
        write_pairs(table, photos[:DISTINCT], count)
        output = folder / f"{count}.out.csv"
        cost = run_command(("pipeline.py", "--pairs", table, "--output", output))
        seen = min(count, DISTINCT, len(photos))
        cells = (f"{cost.seconds:.1f}", f"{count / cost.seconds:.0f}", f"{cost.megabytes:.0f}")
        rows.append((f"{count:,}", f"{seen:,}", *cells))
    print_table(("pairs", "distinct photos", "seconds", "pairs/s", "peak MB"), rows)


def batches_and_cores(folder: Path, photos: Sequence[Path], count: int) -> None:
    """Pairs a second by batch size, and by cores."""
    table = folder / "warm.csv"
    write_pairs(table, photos, count)
    pairs = read_pairs(table)
    verifier = engine.Verifier.load()
    default = stream.CHUNK
    answer_all(verifier, pairs)  # warms disk and models
    rows = []
    for size in BATCHES:
        stream.CHUNK = size
        rows.append((size, f"{len(pairs) / answer_all(verifier, pairs):.0f}"))
    stream.CHUNK = default
    print_table(("pairs in a batch", "pairs/s, warm"), rows)
    print()
    rows = []
    for number in range(1, cores() + 1):
        output = folder / f"cores{number}.csv"
        cost = run_command(("pipeline.py", "--pairs", table, "--output", output), number)
        rows.append((number, f"{len(pairs) / cost.seconds:.0f}", f"{cost.megabytes:.0f}"))
    print_table(("cores", "pairs/s, start-up included", "peak MB"), rows)


def share_of_time(folder: Path, photos: Sequence[Path], count: int) -> None:
    """How much of the time the models compute."""
    table = folder / "share.csv"
    write_pairs(table, photos, count)
    pairs = read_pairs(table)
    verifier = engine.Verifier.load()
    photo = verifier.classifier.model = Stopwatch(verifier.classifier.model)
    text = verifier.extractor.recognizer.model = Stopwatch(verifier.extractor.recognizer.model)
    seconds = answer_all(verifier, pairs)
    whole = seconds * verifier.threads
    print(
        f"{count:,} pairs, {min(count, len(photos)):,} distinct photos, {seconds:.0f} s on"
        f" {verifier.threads} cores: the photo model computes {photo.seconds / whole:.0%} of the"
        f" time, the text model {text.seconds / whole:.0%}, together"
        f" {(photo.seconds + text.seconds) / whole:.0%}"
    )


def main() -> int:
    """Measure and print."""
    args = get_args_parser().parse_args()
    photos = find_photos(args.data, max(args.count, min(args.share, 10_000)))
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        compare(folder, photos, args.count, args.repeats)
        print()
        grow(folder, photos, args.largest)
        print()
        batches_and_cores(folder, photos, min(512, args.count))
        print()
        share_of_time(folder, photos, args.share)
    return 0


if __name__ == "__main__":
    run(main)
