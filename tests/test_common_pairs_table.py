"""Tables of pairs through the real command, with the models that ship in the repository."""

import csv
import json
import random
import shutil
import signal
import subprocess
import sys

import pytest
from conftest import error_of, noise_pairs, script
from pyarrow import parquet

from common.paths import ROOT
from common.tables import open_table
from engine.answer import ANSWER_COLUMNS

RACCOON = ROOT / "data/samples/raccoon.jpg"

PAIRS = """\
text,image
There is a raccoon.,raccoon.jpg
There is a cow.,raccoon.jpg
There is a cow.,missing.jpg
,raccoon.jpg
"A text
in two lines, with a raccoon",raccoon.jpg
There is a cow.,broken.jpg
A sunny day.,raccoon.jpg
"""


@pytest.fixture
def pairs(tmp_path):
    shutil.copy(RACCOON, tmp_path)
    (tmp_path / "broken.jpg").write_bytes(RACCOON.read_bytes()[:5000])
    (tmp_path / "pairs.csv").write_text(PAIRS)
    return tmp_path / "pairs.csv"


def rows_of(path):
    """The rows as csv shows them."""
    if path.suffix in (".jsonl", ".parquet"):
        if path.suffix == ".parquet":
            rows = parquet.read_table(path).to_pylist()
        else:
            rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert {type(row["verdict"]) for row in rows} <= {bool, type(None)}
        names = {None: "", True: "true", False: "false"}
        return [
            {k: names[v] if v is None or isinstance(v, bool) else v for k, v in row.items()}
            for row in rows
        ]
    delimiter = "\t" if path.suffix == ".tsv" else ","
    return list(csv.DictReader(path.open(newline=""), delimiter=delimiter))


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_batch(pairs, ending):
    output = pairs.with_name(f"answers.{ending}")
    done = script("pipeline.py", "--pairs", pairs, "--output", output, check=False)
    assert done.returncode == 3 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    expected = "4 answered: 2 true, 1 false, 1 undecided; 3 failed, see the column error; "
    assert line.startswith(expected) and line.endswith(" pairs/s")
    rows = rows_of(output)
    assert [row["text"] for row in rows] == [row["text"] for row in rows_of(pairs)]
    assert list(rows[0]) == list(ANSWER_COLUMNS)
    assert [row["answer"] for row in rows] == ["True", "False", "", "", "True", "", "False"]
    assert [row["verdict"] for row in rows] == ["true", "false", "", "", "true", "", ""]
    assert "missing.jpg: no such file" in rows[2]["error"]
    assert rows[3]["error"] == "the text is empty; expected a sentence"
    assert "damaged image" in rows[5]["error"]
    assert rows[6]["reason"] == "NO_ANIMAL_NAMED" and rows[0]["animals"] == "raccoon"
    assert rows[0]["predicted"] == "raccoon" and float(rows[0]["probability"]) > 0.5


def test_resume_gives_the_same_rows(pairs):
    output, whole = pairs.with_name("answers.csv"), pairs.with_name("whole.csv")
    script("pipeline.py", "--pairs", pairs, "--output", whole, check=False)
    lines = whole.read_bytes().splitlines(keepends=True)
    for kept in (
        b"",
        lines[0],
        b"".join(lines[:3]),
        b"".join(lines[:3]) + lines[3][:7],
        b"".join(lines[:6]),
    ):
        output.write_bytes(kept)
        arguments = ("--pairs", pairs, "--output", output)
        assert f"{output} exists" in error_of(script("pipeline.py", *arguments, check=False))
        assert output.read_bytes() == kept
        script("pipeline.py", *arguments, "--resume", check=False)
        assert output.read_bytes() == whole.read_bytes()


def test_resume_on_the_answers_to_other_pairs(pairs):
    output = pairs.with_name("answers.csv")
    script("pipeline.py", "--pairs", pairs, "--output", output, check=False)
    pairs.write_text(PAIRS.replace("There is a cow.,raccoon.jpg", "There is a dog.,raccoon.jpg"))
    done = script("pipeline.py", "--pairs", pairs, "--output", output, "--resume", check=False)
    assert "row 2 is not of" in error_of(done)


def test_a_table_without_the_columns(pairs):
    pairs.write_text("words,photo\nA cow.,raccoon.jpg\n")
    output = pairs.with_name("answers.csv")
    done = script("pipeline.py", "--pairs", pairs, "--output", output, check=False)
    assert "no column text or caption; found words,photo" in error_of(done)
    assert not output.exists()


def test_overwrite_replaces(pairs):
    output = pairs.with_name("answers.csv")
    output.write_text("precious")
    done = script("pipeline.py", "--pairs", pairs, "--output", output, check=False)
    assert "add --resume to go on, or --overwrite" in error_of(done)
    assert output.read_text() == "precious"
    script("pipeline.py", "--pairs", pairs, "--output", output, "--overwrite", check=False)
    assert len(rows_of(output)) == 7


def test_a_broken_row_is_found_before_anything_is_written(pairs):
    output = pairs.with_name("answers.csv")
    output.write_text("precious")
    pairs.write_text(PAIRS + "A cow, not a dog.,raccoon.jpg\n")
    arguments = ("--pairs", pairs, "--output", output, "--overwrite")
    assert "near line 10 (3 fields" in error_of(script("pipeline.py", *arguments, check=False))
    assert output.read_text() == "precious"


def test_errors_stop(pairs):
    output = pairs.with_name("answers.csv")
    arguments = ("pipeline.py", "--pairs", pairs, "--output", output, "--errors", "stop")
    message = error_of(script(*arguments, check=False))
    assert "pairs.csv: row 3: " in message and "missing.jpg: no such file" in message
    assert [row["answer"] for row in rows_of(output)] == ["True", "False"]
    shutil.copy(RACCOON, pairs.with_name("missing.jpg"))
    assert "row 4: the text is empty" in error_of(script(*arguments, "--resume", check=False))
    assert [row["answer"] for row in rows_of(output)] == ["True", "False", "False"]


@pytest.mark.parametrize(
    ("lines", "starts"),
    [
        ("text,image\nA raccoon.,raccoon.jpg\n", ("text,image,answer", "A raccoon.,")),
        ("text\timage\nA raccoon.\traccoon.jpg\n", ("text,image,answer", "A raccoon.,")),
        ('{"text": "A raccoon.", "image": "raccoon.jpg"}\n', ("text,image,answer", "A raccoon.,")),
    ],
)
def test_streams(lines, starts):
    command = [sys.executable, ROOT / "pipeline.py", "--pairs", "-", "--output", "-"]
    done = subprocess.run(
        command, input=lines, capture_output=True, text=True, cwd=RACCOON.parent, check=True
    )
    found = done.stdout.splitlines()
    assert len(found) == 2
    assert all(line.startswith(start) for line, start in zip(found, starts, strict=True))
    assert done.stderr.startswith("1 answered: 1 true, 0 false, 0 undecided; ")


def test_a_stream_that_breaks_keeps_what_came_before(tmp_path):
    output = tmp_path / "answers.jsonl"
    command = [sys.executable, ROOT / "pipeline.py", "--pairs", "-", "--output", output]
    lines = 'text,image\nA raccoon.,raccoon.jpg\n"A cow'
    done = subprocess.run(
        command, input=lines, capture_output=True, text=True, cwd=RACCOON.parent, check=False
    )
    assert "-: broken row near line 3" in error_of(done)
    assert [row["answer"] for row in rows_of(output)] == ["True"]


def test_parquet_in(pairs):
    table = pairs.with_name("pairs.parquet")
    with open_table(table, {"text": str, "image": str, "note": str}) as write:
        write([{"text": "A raccoon.", "image": "raccoon.jpg", "note": None}] * 3)
    output = pairs.with_name("answers.tsv")
    script("pipeline.py", "--pairs", table, "--output", output)
    assert [row["answer"] for row in rows_of(output)] == ["True"] * 3


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A table of a few hundred distinct photos, with some that cannot be read."""
    text = '"A cow, or is it dog\nnumber ""{}""?"'
    return noise_pairs(tmp_path_factory.mktemp("many"), 400, text)


@pytest.fixture(scope="module")
def undisturbed(many):
    output = many.with_name("undisturbed.csv")
    script("pipeline.py", "--pairs", many, "--output", output, check=False)
    assert len(rows_of(output)) == 400
    return output


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_killed_at_any_moment_and_resumed(many, undisturbed, ending):
    output = many.with_name(f"killed.{ending}")
    command = [sys.executable, ROOT / "pipeline.py", "--pairs", many, "--output", output]
    chance, kills = random.Random(0), 0
    for _ in range(10):
        process = subprocess.Popen([*command, "--resume"], stderr=subprocess.DEVNULL)
        try:
            code = process.wait(timeout=chance.uniform(0.3, 2.5))
            assert code == 3
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
    done = script(*command[1:], "--resume", check=False)
    assert done.returncode == 3 and "8 failed" in done.stderr and kills > 0
    found = [{k: str(v) for k, v in row.items()} for row in rows_of(output)]
    assert found == rows_of(undisturbed)
