"""The command that writes everyday sentences: which lines it reads, and what it holds out."""

import json
import random
import re

import pytest
from conftest import error_of, script

from common.errors import InputError
from data import everyday
from data.everyday import FILLS, from_phrases, read_lines, read_list
from data.templates import Names, held_out
from matching.taxonomy import Taxonomy

LINES = [f"line number n{i} <without> a {{-}}" for i in range(100)]
HELD = {i for i, line in enumerate(LINES) if held_out(line)}


@pytest.fixture(scope="module")
def names():
    """Owls in training; the other half of the validation has newts."""
    pair = []
    for animal in ("owl", "newt"):
        made = Names(Taxonomy({}), [], [], [], ["cup"], ["Ann"])
        made.animals = ([(animal, f"{animal}s")],) * 3
        pair.append(made)
    return pair


@pytest.fixture
def only(monkeypatch):
    """One file, of which each line is used three times."""
    monkeypatch.setattr(everyday, "FILLS", {"only.txt": 3})


def numbers(rows):
    """How often each line is in rows."""
    words = [word for row in rows for word in row["tokens"] if re.fullmatch(r"n\d+", word)]
    return {int(word[1:]): words.count(word) for word in words}


def made(folder, lines, names):
    (folder / "only.txt").write_text("\n".join(lines))
    return from_phrases(folder, *names, random.Random(0))


def test_templates_are_held_out_whole_wherever_they_stand(tmp_path, names, only):
    assert 1 < len(HELD) < 12
    for lines in (LINES, LINES[::-1], ["# new", "", "another line", *LINES[50:], *LINES[:50]]):
        training, validation = made(tmp_path, lines, names)
        assert numbers(validation) == dict.fromkeys(HELD, 2)
        assert numbers(training) == dict.fromkeys({*range(100)} - HELD, 3)


def test_half_of_the_validation_has_other_names(tmp_path, names, only, monkeypatch):
    monkeypatch.setattr("data.templates.WITH_THINGS", 0)
    training, validation = made(tmp_path, LINES, names)
    drawn = [row["tokens"][-1].lower() for row in validation]
    assert drawn == ["owl", "newt"] * len(HELD)
    assert all(row["tokens"][3] == "without" and row["cues"][3] == 1 for row in validation)
    assert "newt" not in {word.lower() for row in training for word in row["tokens"]}


def test_a_quarter_of_the_rows_are_joined(tmp_path, names, only):
    """Of 2, 2, 3 or 5 texts, 3 on average."""
    lines = [f"x{i}" for i in range(4000)]
    training, _ = made(tmp_path, lines, names)
    sizes = [sum(word[0] == "x" for word in row["tokens"]) for row in training]
    assert {*sizes} == {1, 2, 3, 5}
    assert sizes.count(1) / len(sizes) == pytest.approx(0.75, abs=0.02)
    assert sizes.count(2) / len(sizes) == pytest.approx(0.125, abs=0.02)
    assert sum(sizes) == 3 * sum(not held_out(line) for line in lines)


def test_lines_end_at_line_breaks_only(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("# comment\none\u2028line\n\n  \n# other\ntwo\u0085too\n", encoding="utf-8")
    assert read_lines(path) == ["one\u2028line", "two\u0085too"]


def test_lists_are_separated_by_commas_and_lines(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("# animals\ncow, red fox,\npig\ndog,cat\n")
    assert read_list(path) == ["cow", "red fox", "pig", "dog", "cat"]


def test_a_missing_file_is_named(tmp_path, names):
    with pytest.raises(InputError, match=r"everyday\.txt: No such file"):
        from_phrases(tmp_path, *names, random.Random(0))


def test_script_writes_both_splits(tmp_path):
    phrases, output = tmp_path / "phrases", tmp_path / "out"
    phrases.mkdir()
    for name in FILLS:
        (phrases / name).write_text("\n".join(["# a comment", *LINES]))
    (phrases / "favourites.txt").write_text("cow, red fox\nhorse\n")
    (phrases / "nouns.txt").write_text("cup, front door,\nlid\n")
    (phrases / "given_names.txt").write_text("Ann, Bob\n")
    (tmp_path / "x.jsonl").write_text('{"text": "A dog runs."}\n')
    arguments = ("--phrases", phrases, "--captions", tmp_path, "--output", output)
    done = script("data/everyday.py", *arguments)
    held, rows = (
        [json.loads(line) for line in (output / f"{split}.jsonl").open()]
        for split in ("validation", "train")
    )
    assert {*numbers(held)} == HELD and {*numbers(rows)} == {*range(100)} - HELD
    assert {"B-", "B+", "O"} <= {tag for row in rows for tag in row["mentions"]}
    last = {"tokens": ["A", "dog", "runs", "."], "mentions": ["O", "B+", "O", "O"], "cues": [0] * 4}
    assert rows[-1] == last
    said = f"train: {len(rows) - 1} from phrases, 1 captions\nvalidation: {len(held)}\n"
    assert done.stdout == said and len(held) == 2 * len(HELD) * len(FILLS)
    first = (output / "train.jsonl").read_bytes()
    script("data/everyday.py", *arguments)
    assert (output / "train.jsonl").read_bytes() == first


def test_missing_phrases(tmp_path):
    done = script(
        "data/everyday.py", "--phrases", tmp_path, "--output", tmp_path / "out", check=False
    )
    assert "nonliteral.txt: No such file" in error_of(done)
