"""Comparing the answers of two versions: what counts as a difference, and what is intended."""

import subprocess

import pytest
from conftest import error_of, script

from benchmarks.compare_versions import Comparison, draw
from common.paths import ROOT

ROW = {
    "text": "No cow.",
    "verdict": True,
    "error": None,
    "claims": [{"animal": "cow", "start": 3, "probability": 0.25}],
    "top": [["cat", 0.75], ["cow", 0.25]],
}


def changed(**fields):
    """The row with a field of its claim, or of its own, replaced."""
    claim = {key: fields.pop(key) for key in ("start", "probability") if key in fields}
    return ROW | {"claims": [ROW["claims"][0] | claim]} | fields


@pytest.mark.parametrize(
    ("base", "new", "differing"),
    [
        ([ROW], [ROW], []),
        ([], [], []),
        ([ROW], [changed(probability=0.250009)], []),
        ([ROW], [changed(probability=0.2502)], ["claims[0].probability"]),
        ([ROW], [changed(probability=float("nan"))], ["claims[0].probability"]),
        ([ROW], [changed(probability=None)], ["claims[0].probability"]),
        ([changed(probability=0.0)], [changed(probability=0)], []),
        ([ROW], [changed(start=4)], ["claims[0].start"]),
        ([ROW], [changed(verdict=1)], ["verdict"]),  # equal in Python, not in JSON
        ([ROW], [changed(error="")], ["error"]),
        ([ROW], [changed(top=[["cat", 0.75], ["dog", 0.25]])], ["top[1][0]"]),
        ([ROW], [changed(top=[["cat", 0.75]])], ["top[1]"]),
        ([changed(claims=[])], [ROW], ["claims[0]"]),
        ([ROW], [{k: v for k, v in ROW.items() if k != "error"}], ["error"]),
        ([ROW, ROW], [ROW], ["row"]),
        ([ROW], [ROW, ROW], ["row"]),
        ([ROW, changed(start=4)], [changed(start=4), ROW], ["claims[0].start"]),
    ],
)
def test_what_differs(base, new, differing):
    comparison = Comparison(1e-5)
    comparison.add("pairs", base, new)
    assert [field for _, field in comparison.differences] == differing
    assert bool(comparison.report([])) == bool(differing)


def test_a_new_field_is_reported_and_no_difference(capsys):
    new = changed(source="photo", claims=[ROW["claims"][0] | {"cue": "No"}])
    comparison = Comparison(1e-5)
    comparison.add("pairs", [ROW, ROW], [new, new])
    assert comparison.report([]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "new field: pairs: claims[].cue, 2 times",
        "new field: pairs: source, 2 times",
    ]


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"field": "claims[0].probability"}, 0),
        ({"field": "claims[].probability"}, 0),
        ({"field": "claims[].probability", "text": "^No c"}, 0),
        ({"field": "claims[].probability", "text": "dog"}, 2),
        ({"field": "claims[1].probability"}, 2),
        ({"field": "claims[].animal"}, 2),
        ({"field": "claims"}, 2),
    ],
)
def test_intended_changes(change, left, capsys):
    comparison = Comparison(1e-5)
    comparison.add("pairs", [ROW, ROW], [changed(probability=0.5)] * 2)
    assert comparison.report([change | {"why": "calibrated anew"}]) == left
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "pairs: 2 rows compared, largest difference of a probability 0.25"
    assert lines[1] == f"intended: {change['field']}, {2 - left} times: calibrated anew"
    assert lines[2:3] == (["differs: pairs: claims[0].probability, 2 times"] if left else [])


def test_an_intended_change_at_one_place_of_each_element():
    comparison = Comparison(1e-5)
    comparison.add("pairs", [ROW], [changed(top=[["cat", 0.5], ["dog", 0.5]])])
    assert comparison.report([{"field": "top[][1]", "why": "calibrated anew"}]) == 1
    assert comparison.report([{"field": "top[][0]", "why": "renamed"}]) == 2


def test_the_draw_is_the_same_each_time_and_needs_no_data(tmp_path):
    pairs, texts = draw(tmp_path, 500)
    assert (pairs, texts) == draw(tmp_path, 500)
    assert len(texts) == 500 and {"There is no cow.", "A cow in the grass."} & set(texts)
    assert {"A cat.", "There is no cat."} <= {pair["text"] for pair in pairs}
    assert draw(tmp_path, 4)[0] == pairs[:4]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("{", "Expecting"),
        ('[{"field": "verdict"}]', "why"),
        ('[{"field": "verdict", "why": "w", "row": 1}]', "row"),
        ('[{"field": "verdict", "why": "w", "text": "("}]', "unterminated"),
        ('["verdict"]', "str"),
    ],
)
def test_a_bad_list_of_changes_is_one_line(tmp_path, content, named):
    path = tmp_path / "changes.json"
    path.write_text(content)
    command = ("benchmarks/compare_versions.py", "--base", "HEAD", "--expected", path)
    line = error_of(script(*command, check=False))
    assert str(path) in line and named in line


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_an_unknown_revision_and_a_foreign_folder(tmp_path):
    command = ("benchmarks/compare_versions.py", "--data", tmp_path, "--base")
    assert "no-such-revision" in error_of(script(*command, "no-such-revision", check=False))
    assert str(tmp_path) in error_of(script(*command, "HEAD", "--base-dir", tmp_path, check=False))


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_the_last_commit_answers_like_the_working_tree(tmp_path):
    command = ("benchmarks/compare_versions.py", "--base", "HEAD", "--count", 4)
    done = script(*command, "--data", tmp_path, env={"TMPDIR": str(tmp_path)})
    lines = done.stdout.splitlines()
    assert "4 pairs, 4 texts" in lines[0] and "4 pairs, 4 texts" in lines[1]
    assert "Verifier.verify_many: 4 rows compared, largest difference" in done.stdout
    assert lines[-1] == "equal"
    listed = subprocess.run(["git", "worktree", "list"], cwd=ROOT, capture_output=True, text=True)
    assert str(tmp_path) not in listed.stdout and not list(tmp_path.glob("tmp*"))
