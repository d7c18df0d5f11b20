"""Whether the tests notice when the code is wrong: mutation testing of what computes the answers.

    python benchmarks/mutation.py                                  # a sample of 300 mutants
    python benchmarks/mutation.py --count 0 --only matching/verdict.py   # all of one module's
    python benchmarks/mutation.py --output mutants.csv

A mutant is one module with one small change, made by an operator of cosmic-ray or by one of the
three below. Its tests run in a copy of the tree; it is killed if one fails. Arithmetic operators
are replaced by their inverse alone, because most others raise on the spot, which any test notices;
floats are doubled and halved, because a share plus one is noticed as easily. Annotations are not
mutated. ``equivalent_mutants.json`` lists, with the reason, mutants that were reviewed and that no
test can tell from the module: the score leaves them out.

Prints a row for each module, the score with its 95 % bootstrap interval, and the survivors.
"""

import ast
import csv
import importlib
import json
import math
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import astuple, dataclass, fields
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from tqdm import tqdm

from common.cli import ArgumentParser, run
from common.errors import InputError
from common.evaluation.bootstrap import bootstrap
from common.paths import ROOT, data_root

CALIBRATION = ["tests/test_classifier_thresholds.py", "tests/test_classifier_calibration.py"]
EVALUATION = ["tests/test_common_evaluation.py", "tests/test_common_evaluation_exact.py"]
TESTS = {  # the quick tests of each module
    "classifier/calibration.py": CALIBRATION,
    "classifier/detectors.py": CALIBRATION,
    "common/evaluation/bootstrap.py": EVALUATION,
    "common/evaluation/calibration.py": EVALUATION,
    "common/evaluation/metrics.py": EVALUATION,
    "common/training/loop.py": [
        "tests/test_common_training_loop_exact.py",
        "tests/test_common_training_loop.py",
    ],
    "matching/resolve.py": ["tests/test_resolve.py"],
    "matching/taxonomy.py": ["tests/test_taxonomy.py"],
    "matching/verdict.py": ["tests/test_verdict.py"],
    "ner/decode.py": ["tests/test_ner_decode.py"],
    "common/numeric.py": ["tests/test_common_numeric.py"],
    "common/runtime/gptq.py": [
        "tests/test_common_runtime_gptq.py",
        "--deselect=tests/test_common_runtime_gptq.py::test_quantizing_keeps_rounded_weights_as_they_are",
        "--deselect=tests/test_common_runtime_gptq.py::test_what_follows_the_last_layers_stays_exact",
    ],
    "common/training/losses.py": ["tests/test_common_training_losses.py"],
}
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.json")
LINKED = ("models",)  # folders that a copy of the tree shares with it
PYTEST = ("-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "-m", "not slow and not data")
SLOWER = 5  # times as long as the tests of the unchanged tree, and a mutant never ends
WALL_SECONDS = 900  # for one that waits
MEMORY = 8 * 2**30  # bytes, for mutants that never stop to append

INVERSE = {"Add": "Sub", "Mul": "Div", "FloorDiv": "Div", "Mod": "FloorDiv", "Pow": "Mul"}
INVERSE |= {"Sub": "Add", "Div": "Mul", "BitOr": "BitAnd", "BitAnd": "BitOr", "BitXor": "BitOr"}
SWAPS = {"min": "max", "any": "all", "argmin": "argmax", "lower": "upper", "amin": "amax"}
SWAPS |= {other: name for name, other in SWAPS.items()}


class RemoveCall:
    """Remove a statement that only calls something."""

    def mutation_positions(self, node):
        """Yield where a statement is a call."""
        statement = getattr(node, "children", [node])[0]
        if node.type == "simple_stmt" and statement.type in ("atom_expr", "power"):
            yield statement.start_pos, statement.end_pos

    def mutate(self, node, index):
        """Replace it with ``pass``."""
        import parso

        prefix = node.children[0].get_first_leaf().prefix
        node.children[0] = parso.python.tree.Keyword("pass", node.start_pos, prefix)
        return node


class SwapFunction:
    """Call the opposite function, see `SWAPS`."""

    def mutation_positions(self, node):
        """Yield where one is named before a call."""
        following = node.get_next_leaf() if node.type == "name" else None
        if following and following.value == "(" and node.value in SWAPS:
            yield node.start_pos, node.end_pos

    def mutate(self, node, index):
        """Name the other."""
        node.value = SWAPS[node.value]
        return node


class ScaleFloat:
    """Double or halve a float."""

    def mutation_positions(self, node):
        """Yield twice where there is one."""
        if node.type == "number" and re.search(r"[.e]", node.value):
            yield from [(node.start_pos, node.end_pos)] * 2

    def mutate(self, node, index):
        """Replace the number; 0.0 becomes 1.0 and -1.0."""
        value = float(node.value)
        node.value = repr(value * (2, 0.5)[index] if value else (1.0, -1.0)[index])
        return node


@dataclass(frozen=True)
class Mutant:
    """A module with one change."""

    module: str
    line: int
    function: str
    """Qualified name, "" at the module's level."""
    operator: str
    before: str
    after: str
    """The line, without indentation, before and after the change."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What identifies a mutant as long as its line stays as it is."""
        return self.module, self.function, self.before, self.after


@dataclass(frozen=True)
class Result(Mutant):
    """A mutant and what became of it."""

    outcome: str
    """killed, survived or equivalent."""
    by: str
    """The first test that failed."""


def get_args_parser() -> ArgumentParser:
    """Build the command line."""
    parser = ArgumentParser(__doc__)
    parser.add_argument("--only", nargs="+", metavar="MODULE", help="of these modules alone")
    parser.add_argument("--count", type=int, default=300, help="mutants in all; 0: every one")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default 0)")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at a time (default 2)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write a row for each as CSV")
    return parser


@cache
def operators() -> dict[str, Any]:
    """Return the operators that are used, by name: cosmic-ray's and those above."""
    from cosmic_ray.plugins import get_operator, operator_names

    found: dict[str, Any] = {}
    for path in operator_names():
        name = path.split("/")[1]
        kind, _, change = name.partition("_")
        first, _, second = change.partition("_")
        if kind == "ReplaceBinaryOperator":
            used = INVERSE.get(first) == second
        elif kind == "ReplaceComparisonOperator":  # identity is no order
            used = (first in ("Is", "IsNot")) == (second in ("Is", "IsNot"))
        elif kind == "ReplaceUnaryOperator":
            used = first == "Delete"
        else:
            used = not kind.startswith("Variable")  # these are random
        if used:
            found[name] = get_operator(path)()
    return found | {kind.__name__: kind() for kind in (RemoveCall, SwapFunction, ScaleFloat)}


def places(source: str) -> list[tuple[str, int, tuple[int, int]]]:
    """Return where a module can be changed: operator, occurrence, line and column."""
    import parso
    from cosmic_ray.ast import ast_nodes

    annotations = [
        part
        for node in ast.walk(ast.parse(source))
        for name in ("annotation", "returns")
        if (part := getattr(node, name, None))
    ]

    def counts(operator: str, node, start: tuple[int, int]) -> bool:
        if any(
            (a.lineno, a.col_offset) <= start < (a.end_lineno, a.end_col_offset)
            for a in annotations
        ):
            return False
        if operator == "NumberReplacer" and re.search(r"[.e]", node.value):
            return False  # ScaleFloat does these
        before = (
            node.get_previous_leaf()
        )  # stars of "{**x}", "[*x]" and "(a, *, b)" multiply nothing
        return not (operator.startswith("ReplaceBinary") and before.value in tuple("([{,"))

    nodes = list(ast_nodes(parso.parse(source)))
    found = []
    for name, operator in operators().items():
        positions = [
            (node, start) for node in nodes for start, _ in operator.mutation_positions(node)
        ]
        found += [
            (name, i, start)
            for i, (node, start) in enumerate(positions)
            if counts(name, node, start)
        ]
    return found


def mutate(module: str, source: str, place: tuple[str, int, tuple[int, int]]) -> tuple[Mutant, str]:
    """Return a mutant of a module and its source."""
    from cosmic_ray.mutating import mutate_code

    name, occurrence, (line, _) = place
    changed = mutate_code(source, operators()[name], occurrence)
    old, new = source.splitlines(), changed.splitlines()
    same = next(i for i, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1])
    inside = [
        (node.lineno, node.name)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and node.lineno <= line <= node.end_lineno
    ]
    function = ".".join(part for _, part in sorted(inside))
    if name == "RemoveDecorator":
        before, after = old[line - 1].strip(), ""
    else:
        before, after = old[same].strip(), new[same].strip()
    return Mutant(module, line, function, name, before, after), changed


def draw(counts: dict[str, int], count: int) -> dict[str, int]:
    """Divide a sample over the modules in proportion to their mutants (largest remainder)."""
    total = sum(counts.values())
    shares = {module: min(count, total) * n / total for module, n in counts.items()}
    sizes = {module: int(share) for module, share in shares.items()}
    rest = sorted(shares, key=lambda module: sizes[module] - shares[module])
    for module in rest[: min(count, total) - sum(sizes.values())]:
        sizes[module] += 1
    return sizes


def copy_tree(target: Path) -> Path:
    """Copy the files that git knows or would add; folders in `LINKED` become links."""
    listed = ("git", "ls-files", "-co", "--exclude-standard", "-z")
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if name.split("/")[0] not in LINKED and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target / name)
    for name in LINKED:
        (target / name).symlink_to(ROOT / name)
    return target


def start(tree: Path, tests: Sequence[str], seconds: int = WALL_SECONDS) -> int:
    """Run tests in a copy of the tree, in a fork that has the libraries already; return its id.

    It is ended after ``seconds`` of work. What the tests print is left in ``tree/tests.log``;
    ``tree/imported.json`` names the libraries.
    """
    process = os.fork()
    if process:
        return process
    code = 70
    try:
        os.setsid()  # so that what it starts can be ended with it
        signal.alarm(WALL_SECONDS)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        sys.stdout = sys.stderr = log = open(tree / "tests.log", "w", encoding="utf-8")  # noqa: SIM115
        os.dup2(log.fileno(), 1), os.dup2(log.fileno(), 2)
        os.chdir(tree)
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith(f"{ROOT}{os.sep}") and (
                ".venv" not in module.__file__
            ):
                del sys.modules[name]
        sys.path[:] = [str(tree), *(part for part in sys.path if part not in ("", str(ROOT)))]
        import pytest

        code = int(pytest.main([*PYTEST, f"--basetemp={tree}.tmp", *tests]))
        libraries = [
            name
            for name, module in sys.modules.items()
            if "site-packages" in (getattr(module, "__file__", None) or "")
        ]
        (tree / "imported.json").write_text(json.dumps(libraries))
    finally:
        sys.stdout.flush()
        os._exit(code)


def finish(process: int) -> int:
    """End what a fork may have left running."""
    with suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    return process


def check(tree: Path, tests: Sequence[str]) -> int:
    """Run the tests of an unchanged tree, and import the libraries that they need.

    Returns:
        Seconds of work after which a mutant never ends.

    Raises:
        InputError: If one fails.
    """
    process, status, usage = os.wait4(start(tree, tests), 0)
    finish(process)
    if status:
        raise InputError(f"{' '.join(tests)}: not all pass:\n{(tree / 'tests.log').read_text()}")
    for name in json.loads((tree / "imported.json").read_text()):
        with suppress(Exception):  # some want to be imported by another
            importlib.import_module(name)
    return math.ceil(SLOWER * (1 + usage.ru_utime + usage.ru_stime))


def judge(
    mutants: Sequence[tuple[Mutant, str]], trees: Sequence[Path], seconds: Mapping[str, int]
) -> Iterator[Result]:
    """Run the tests of each mutant, as many at a time as there are copies of the tree.

    One whose tests work for longer than ``seconds`` of its module never ends.
    """
    waiting, free = list(mutants)[::-1], list(trees)
    running: dict[int, tuple[Mutant, Path]] = {}
    while waiting or running:
        while waiting and free:
            (mutant, source), tree = waiting.pop(), free.pop()
            (tree / mutant.module).write_text(source, encoding="utf-8")
            running[start(tree, TESTS[mutant.module], seconds[mutant.module])] = mutant, tree
        process, status = os.wait()
        mutant, tree = running.pop(finish(process))
        log = (tree / "tests.log").read_text(errors="replace")
        failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", log, re.MULTILINE)
        by = failed[1] if failed else "does not end" if os.WIFSIGNALED(status) else "does not run"
        shutil.copyfile(ROOT / mutant.module, tree / mutant.module)
        free.append(tree)
        yield Result(*astuple(mutant), *(("killed", by) if status else ("survived", "")))


def sample(modules: Sequence[str], count: int, seed: int) -> tuple[dict[str, int], list]:
    """Return how many mutants each module has, and a sample of them with their sources."""
    sources = {module: (ROOT / module).read_text(encoding="utf-8") for module in modules}
    all_places = {module: places(source) for module, source in sources.items()}
    totals = {module: len(found) for module, found in all_places.items()}
    sizes = draw(totals, count or sum(totals.values()))
    chance = random.Random(seed)
    drawn = [
        mutate(module, sources[module], place)
        for module in modules
        for place in sorted(chance.sample(all_places[module], sizes[module]), key=lambda p: p[2])
    ]
    return totals, drawn


def report(totals: dict[str, int], results: Sequence[Result]) -> Iterator[str]:
    """Yield a Markdown table of the modules, the score, and the survivors."""
    outcomes = ("killed", "equivalent", "survived")
    yield f"| module | mutants | sample | {' | '.join(outcomes)} |\n{'|---' * 6}|"
    for name in (*totals, "together"):
        rows = [row for row in results if name in (row.module, "together")]
        numbers = [totals.get(name, sum(totals.values())), len(rows)]
        numbers += [sum(row.outcome == outcome for row in rows) for outcome in outcomes]
        yield f"| {name} | {' | '.join(map(str, numbers))} |"
    killed = [row.outcome == "killed" for row in results if row.outcome != "equivalent"]
    if killed:
        score = bootstrap(lambda drawn: sum(killed[i] for i in drawn) / len(drawn), len(killed))
        yield f"\nscore {score} of {len(killed)} not equivalent"
    for row in results:
        if row.outcome == "survived":
            yield f"\n{row.module}:{row.line} {row.function} ({row.operator})"
            yield f"- {row.before}\n+ {row.after}"


def main() -> int:
    """Draw mutants, run their tests and print what became of them."""
    args = get_args_parser().parse_args()
    if not find_spec("cosmic_ray"):
        raise InputError("cosmic-ray is missing: pip install -r benchmarks/requirements.txt")
    modules = args.only or list(TESTS)
    if unknown := set(modules) - set(TESTS):
        raise InputError(f"--only {min(unknown)}: no tests listed; one of {', '.join(TESTS)}")
    os.environ |= {"OMP_NUM_THREADS": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    os.environ |= {"FAUNACHECK_DATA": str(data_root()), "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True  # or a mutant would be read from its neighbour's cache
    equivalent = {
        tuple(row[name] for name in ("module", "function", "before", "after")): row["why"]
        for row in json.loads(EQUIVALENT.read_text(encoding="utf-8"))
    }
    with tempfile.TemporaryDirectory() as folder:
        trees = [copy_tree(Path(folder) / str(i)) for i in range(args.jobs)]
        seconds = {module: check(trees[0], TESTS[module]) for module in modules}
        totals, drawn = sample(modules, args.count, args.seed)
        results = []
        for result in tqdm(judge(drawn, trees, seconds), total=len(drawn), disable=None):
            if result.outcome == "survived" and result.key in equivalent:
                result = Result(*astuple(result)[:-2], "equivalent", "")
            elif result.key in equivalent:
                print(f"killed, though listed as equivalent: {result}", file=sys.stderr)
            results.append(result)
    if args.output:
        with open(args.output, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([field.name for field in fields(Result)])
            writer.writerows(map(astuple, results))
    print("\n".join(report(totals, results)))
    return 0


if __name__ == "__main__":
    run(main)
