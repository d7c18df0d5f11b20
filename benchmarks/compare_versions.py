"""Whether two versions answer alike: a git revision against the working tree, on this machine.

    python benchmarks/compare_versions.py --base v0.2.0
    python benchmarks/compare_versions.py --base HEAD --count 50
    python benchmarks/compare_versions.py --base v0.2.0 --expected changes.json

Both versions answer the same pairs, texts and photos, drawn with a fixed seed from the samples, the
val and test photos, ``tests/data/claims.jsonl``, captions, MultiNERD's test split and templates, or
without FAUNACHECK_DATA from what the repository holds. Each runs in processes of its own, with its
own models and this interpreter. Probabilities come with four digits, so that a smaller change shows
only where it crosses a rounding boundary, as 0.0001. Fields that the base lacks are no differences.

``--expected`` names a JSON list of intended changes, ``{"field", "text", "why"}``: a field such as
``claims[0].probability``, where ``[]`` stands for any index, and, if only some rows are meant, a
regular expression that is searched in the row's text and image. Exit codes: 0 equal but for what is
intended, 3 other differences, 2 bad usage or a version that cannot be run.
"""

import csv
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import EXIT_BAD_INPUT, EXIT_ROWS_FAILED, ArgumentParser, run
from common.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
SEED = 0
SINGLE = 10  # pairs that are answered in a process each, too
EXAMPLES = 3  # printed of each field that differs
TEMPLATES = (
    *("There is a {} in the picture.", "A {} in the grass.", "Is that a {}?"),
    *("There is no {}.", "This is not a {}, I think.", "I looked for a {} but found none."),
)
ABSENT = "(absent)"
VERIFY = """
import json, sys
from pipeline import Verifier
pairs = [(row["text"], row["image"]) for row in map(json.loads, open(sys.argv[1]))]
for answer in Verifier.load().verify_many(pairs):
    print(json.dumps(answer.to_json()))
"""

Row = dict[str, Any]


class Comparison:
    """What differs between the rows of two versions; ``tolerance``: how far numbers may differ."""

    def __init__(self, tolerance: float):
        self.tolerance = tolerance
        self.differences: dict[tuple[str, str], list[tuple]] = {}  # (output, field): text, values
        self.new_fields: Counter[tuple[str, str]] = Counter()
        self.rows: Counter[str] = Counter()
        self.largest: dict[str, float] = {}  # difference of a probability, by output

    def add(self, output: str, base: Sequence[Row], new: Sequence[Row]) -> None:
        """Compare two tables, row by row in order; a row that one lacks differs as a whole."""
        self.largest[output] = 0.0
        for rows in zip_longest(base, new):
            self.rows[output] += 1
            row = rows[0] or rows[1]
            text = f"{row.get('text', '')} {row.get('image', '')}".strip()
            pairs = [("row", *rows)] if None in rows else self._differing(output, "", *rows)
            for field, *values in pairs:
                self.differences.setdefault((output, field), []).append((text, *values))

    def _differing(self, output: str, field: str, base: Any, new: Any) -> Iterator[tuple]:
        kinds = {type(base), type(new)}
        if kinds == {dict}:
            for key in base | new:
                name = f"{field}.{key}".lstrip(".")
                if key in base:
                    yield from self._differing(output, name, base[key], new.get(key, ABSENT))
                else:
                    self.new_fields[output, re.sub(r"\[\d+\]", "[]", name)] += 1
        elif kinds == {list}:
            for i, pair in enumerate(zip_longest(base, new, fillvalue=ABSENT)):
                yield from self._differing(output, f"{field}[{i}]", *pair)
        elif float in kinds <= {int, float}:  # a probability or a score
            self.largest[output] = max(self.largest[output], abs(base - new))
            if not abs(base - new) <= self.tolerance:
                yield field, base, new
        elif len(kinds) > 1 or base != new:
            yield field, base, new

    def report(self, expected: Sequence[dict[str, str]]) -> int:
        """Print what differs and what of that is intended; return how much is not."""
        intended, rest = Counter(), {}
        for (output, field), found in self.differences.items():
            for text, *values in found:
                change = next((i for i, c in enumerate(expected) if matches(c, field, text)), None)
                if change is None:
                    rest.setdefault((output, field), []).append((text, *values))
                else:
                    intended[change] += 1
        for output, largest in self.largest.items():
            count = f"{self.rows[output]} rows compared"
            print(f"{output}: {count}, largest difference of a probability {largest:.2g}")
        for (output, field), times in self.new_fields.items():
            print(f"new field: {output}: {field}, {times} times")
        for i, change in enumerate(expected):
            print(f"intended: {change['field']}, {intended[i]} times: {change['why']}")
        for (output, field), found in rest.items():
            print(f"differs: {output}: {field}, {len(found)} times")
            for text, base, new in found[:EXAMPLES]:
                print(f"    {text!r}: {base!r} -> {new!r}")
        return sum(map(len, rest.values()))


def matches(change: dict[str, str], field: str, text: str) -> bool:
    """Whether a difference is the intended change."""
    pattern = re.escape(change["field"]).replace(r"\[\]", r"\[\d+\]")
    return bool(re.fullmatch(pattern, field) and re.search(change.get("text", ""), text))


def read_expected(path: Path) -> list[dict[str, str]]:
    """Read the intended changes.

    Raises:
        InputError: If the file cannot be read or is no list of such changes.
    """
    try:
        changes = json.loads(path.read_text(encoding="utf-8"))
        for change in changes:
            re.compile(change.get("text", ""))
            if not {"field", "why"} <= change.keys() <= {"field", "text", "why"}:
                raise ValueError(f"{change}: expected the keys field, why and perhaps text")
    except (OSError, ValueError, AttributeError, TypeError, re.error) as error:
        raise InputError(f"{path}: not a list of intended changes ({error})") from error
    return changes


def draw(data: Path, count: int) -> tuple[list[Row], list[str]]:
    """Draw at most ``count`` pairs and as many texts from what there is."""
    chance = random.Random(SEED)
    samples, manifest = ROOT / "data/samples", data / "animals/manifest.csv"
    claims = read_rows(ROOT / "tests/data/claims.jsonl")
    sentences = [row["text"] for row in claims]
    photos = [(path.stem, path) for path in samples.glob("*.jpg")]
    photos += [
        (row["label"].replace("_", " "), manifest.parent / row["path"])
        for row in read_rows(manifest)
        if row["split"] != "train"
    ]
    names = {label.replace("_", " ") for row in claims for label in row["photos"]}
    names = sorted(names.union(name for name, _ in photos) - {"not animal", "other animal"})
    pairs = [("", samples / "cat.jpg"), ("A cat.", samples / "no such photo.jpg")]
    pairs += [(row["text"], samples / row["image"]) for row in read_rows(samples / "pairs.csv")]
    for name, path in chance.sample(sorted(photos), len(photos)):
        other = chance.choice(names)
        named = chance.choice((name, other)) if name in names else other
        template = chance.choice(TEMPLATES).format(named)
        pairs.append((chance.choice((template, template, chance.choice(sentences))), path))
    sources = [
        [template.format(name) for template in TEMPLATES for name in names],
        [" ".join(row["tokens"]) for row in read_rows(data / "multinerd_en/test.jsonl")],
        *([row["text"] for row in read_rows(f)] for f in sorted(data.glob("captions/*.jsonl"))),
    ]
    texts = chance.sample(sentences, min(count // 2, len(sentences)))
    others = [text for source in sources for text in chance.sample(source, min(count, len(source)))]
    texts += chance.sample(others, min(count - len(texts), len(others)))
    rows = [{"text": text, "image": str(path)} for text, path in pairs[:count]]
    return rows, [" ".join(text.splitlines()) for text in texts]


def read_rows(path: Path) -> list[Row]:
    """Read a table, csv or JSON Lines; one that is not there has no rows."""
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file) if path.suffix == ".csv" else map(json.loads, file))


def call(*command: object, cwd: Path = ROOT, codes: Sequence[int] = (0,)) -> CompletedProcess:
    """Run a command.

    Raises:
        InputError: If it exits with a code that is none of ``codes``.
    """
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, encoding="utf-8")
    if done.returncode not in codes:
        line = (done.stderr.strip().splitlines() or ["no message"])[-1]
        shown = f"{command[0]} {command[1]} … {command[-1]}"
        raise InputError(f"{cwd}: {shown} exited with {done.returncode}: {line}")
    return done


def answers(version: Path, pairs: Sequence[Row], texts: Sequence[str]) -> dict[str, list[Row]]:
    """Run the commands of one version and return their rows."""

    def python(*options: object, codes: Sequence[int] = (0,)) -> CompletedProcess:
        return call(sys.executable, *options, cwd=version, codes=codes)

    def rows(*options: object) -> list[Row]:
        return [json.loads(line) for line in python(*options).stdout.split("\n") if line]

    def single(pair: Row) -> Row:
        options = ("--text", pair["text"], "--image", pair["image"], "--format", "json")
        done = python("pipeline.py", *options, codes=(0, EXIT_BAD_INPUT))
        answer = json.loads(done.stdout) if done.stdout else pair
        return answer | {"exit code": done.returncode, "stderr": done.stderr}

    some_failed = (0, EXIT_ROWS_FAILED)
    with tempfile.TemporaryDirectory() as folder:
        table, lines, output = (Path(folder, name) for name in ("in.jsonl", "in.txt", "out.jsonl"))
        table.write_text("".join(json.dumps(pair) + "\n" for pair in pairs), encoding="utf-8")
        lines.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
        of_texts = ("--file", lines, "--format", "jsonl")
        photos = dict.fromkeys(pair["image"] for pair in pairs)
        of_photos = ("--image", *photos, "--topk", "5", "--format", "json")
        python("pipeline.py", "--pairs", table, "--output", output, codes=some_failed)
        seen = python("classifier/inference.py", *of_photos, codes=some_failed).stdout
        return {
            "Verifier.verify_many": rows("-c", VERIFY, table),
            "pipeline.py --pairs": read_rows(output),
            "pipeline.py --text --image": [single(pair) for pair in pairs[:SINGLE]],
            "matching/claims.py": rows("matching/claims.py", *of_texts),
            "ner/inference.py": rows("ner/inference.py", *of_texts),
            "classifier/inference.py": json.loads(seen),
        }


@contextmanager
def checkout(commit: str, folder: Path | None) -> Iterator[Path]:
    """Check out a commit, for as long as it is needed or, in a given folder, for good.

    Raises:
        InputError: If git cannot, or the folder holds anything else.
    """
    with tempfile.TemporaryDirectory() as parent:
        base = folder.resolve() if folder else Path(parent, "base")
        if not base.exists():
            call("git", "worktree", "add", "--detach", base, commit)
        try:
            held = (base / ".git").exists() and call("git", "rev-parse", "HEAD", cwd=base).stdout
            if not held or held.strip() != commit or call("git", "diff", "HEAD", cwd=base).stdout:
                raise InputError(f"{base}: not an unchanged checkout of {commit}")
            yield base
        finally:
            if not folder:
                call("git", "worktree", "remove", "--force", base)


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_argument("--base", required=True, metavar="REVISION", help="what to compare with")
    parser.add_argument("--base-dir", type=Path, metavar="DIR", help="check out there and keep it")
    parser.add_argument("--count", type=int, default=500, help="pairs, and texts (500)")
    parser.add_argument("--tolerance", type=float, default=1e-5, help="of a number (1e-5)")
    parser.add_argument("--expected", type=Path, metavar="FILE", help="intended changes, JSON")
    parser.add_data(".", "training data")
    return parser


def main() -> int:
    """Run both versions and compare."""
    args = get_args_parser().parse_args()
    if args.count < 2:
        raise InputError(f"--count {args.count}: must be at least 2")
    expected = read_expected(args.expected) if args.expected else []
    pairs, texts = draw(args.data.resolve(), args.count)
    revision = f"{args.base}^{{commit}}"
    commit = call("git", "rev-parse", "--verify", "--end-of-options", revision).stdout.strip()
    found = []
    with checkout(commit, args.base_dir) as base:
        for name, version in ((f"base {commit[:7]}", base), ("working tree", ROOT)):
            started = time.monotonic()
            found.append(answers(version, pairs, texts))
            seconds = time.monotonic() - started
            print(f"{name}: {len(pairs)} pairs, {len(texts)} texts, {seconds:.0f} s", flush=True)
    comparison = Comparison(args.tolerance)
    for output, rows in found[0].items():
        comparison.add(output, rows, found[1][output])
    differences = comparison.report(expected)
    print(f"{differences} differences that are not intended" if differences else "equal")
    return EXIT_ROWS_FAILED if differences else 0


if __name__ == "__main__":
    run(main)
