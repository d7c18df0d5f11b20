"""Mutants: which changes are made, and what becomes of them."""

import json

import pytest

pytest.importorskip("cosmic_ray")

from benchmarks import mutation
from benchmarks.mutation import EQUIVALENT, TESTS, Mutant, Result, draw, mutate, places, report
from common.paths import ROOT

SOURCE = '''
def share(hits: int | None, *rest, scale=0.5, **options):
    """Divide by 3."""
    values = {**options, "n": [*rest]}
    if hits is None or not values:
        return 0.0
    print(hits)
    return max(hits * scale - 2, min(values["n"]))
'''


def mutants(source):
    return [mutate("m.py", source, place)[0] for place in places(source)]


def test_the_changes_of_a_function():
    found = {(m.line, m.after) for m in mutants(SOURCE)}
    expected = {
        (2, "def share(hits: int | None, *rest, scale=1.0, **options):"),
        (2, "def share(hits: int | None, *rest, scale=0.25, **options):"),
        (5, "if not hits is None or not values:"),
        (5, "if hits is not None or not values:"),
        (5, "if hits is None and not values:"),
        (5, "if hits is None or  values:"),
        (6, "return 1.0"),
        (6, "return -1.0"),
        (7, "pass"),
        (8, 'return max(hits / scale - 2, min(values["n"]))'),
        (8, 'return max(hits * scale + 2, min(values["n"]))'),
        (8, 'return max(hits * scale - 3, min(values["n"]))'),
        (8, 'return max(hits * scale - 1, min(values["n"]))'),
        (8, 'return min(hits * scale - 2, min(values["n"]))'),
        (8, 'return max(hits * scale - 2, max(values["n"]))'),
    }
    assert {(line, after.replace("-  ", "- ")) for line, after in found} == expected
    assert all(m.function == "share" and m.before for m in mutants(SOURCE))


def test_every_mutant_is_another_module_that_compiles():
    source = (ROOT / "matching/resolve.py").read_text()
    for place in places(source):
        _, changed = mutate("matching/resolve.py", source, place)
        assert changed != source
        compile(changed, "m.py", "exec")


@pytest.mark.parametrize(
    ("counts", "count", "sizes"),
    [
        ({"a": 10, "b": 30}, 4, {"a": 1, "b": 3}),
        ({"a": 10, "b": 20}, 4, {"a": 1, "b": 3}),
        ({"a": 1, "b": 99}, 50, {"a": 1, "b": 49}),
        ({"a": 2, "b": 3}, 99, {"a": 2, "b": 3}),
    ],
)
def test_a_sample_has_its_share_of_each_module(counts, count, sizes):
    assert draw(counts, count) == sizes


def test_the_report_names_survivors():
    mutant = ("a.py", 3, "f", "NumberReplacer", "return 1", "return 2")
    results = [Result(*mutant, "killed", "test_a")] * 3 + [Result(*mutant, "survived", "")]
    results.append(Result(*mutant, "equivalent", ""))
    lines = "\n".join(report({"a.py": 9}, results)).splitlines()
    assert lines[2:4] == ["| a.py | 9 | 5 | 3 | 1 | 1 |", "| together | 9 | 5 | 3 | 1 | 1 |"]
    assert lines[5].startswith("score 0.750 [") and lines[5].endswith("] of 4 not equivalent")
    assert lines[-3:] == ["a.py:3 f (NumberReplacer)", "- return 1", "+ return 2"]


def test_a_mutant_is_killed_in_a_copy_of_the_tree(tmp_path, monkeypatch):
    """One that a test notices, one that none does, one that never ends."""
    (tmp_path / "copy").mkdir()
    tree = mutation.copy_tree(tmp_path / "copy")
    (tree / "tests/test_toy.py").write_text(
        "from common.errors import InputError\n"
        "from common.paths import ROOT\n"
        "def test_toy(): assert ROOT.name == 'copy' and issubclass(InputError, Exception)\n"
    )
    source = (ROOT / "common/errors.py").read_text()
    changes = [source, source.replace("class InputError", "class Other"), "while True: pass"]
    listed = [
        (Mutant("common/errors.py", i, "", "", "", ""), text) for i, text in enumerate(changes)
    ]
    monkeypatch.setitem(TESTS, "common/errors.py", ["tests/test_toy.py"])
    found = list(mutation.judge(listed, [tree], {"common/errors.py": 10}))
    assert [row.outcome for row in found] == ["survived", "killed", "killed"]
    assert found[1].by.startswith("tests/test_toy.py") and found[2].by == "does not end"
    assert (ROOT / "common/errors.py").read_text() == source


def test_the_list_of_equivalent_mutants_is_up_to_date():
    for row in json.loads(EQUIVALENT.read_text()):
        assert row["why"] and row["module"] in TESTS
        lines = (ROOT / row["module"]).read_text().splitlines()
        assert row["before"] in [line.strip() for line in lines], row
