"""The command on the sample photos with the models that ship in the repository."""

import csv
import json
import shutil

import pytest
from conftest import error_of, script

from common.paths import ROOT
from pipeline import ANSWER_COLUMNS, Verifier

SAMPLES = ROOT / "data/samples"
RACCOON = SAMPLES / "raccoon.jpg"
CAT = SAMPLES / "cat.jpg"
COFFEE = SAMPLES / "coffee.jpg"


@pytest.fixture(scope="module")
def verifier():
    return Verifier.load()


@pytest.mark.parametrize(
    ("text", "image", "expected"),
    [
        ("There is a raccoon in the picture.", RACCOON, True),
        ("There is a cow in the picture.", RACCOON, False),
        ("There is no cow in the picture.", RACCOON, True),
        ("There is no raccoon in the picture.", RACCOON, False),
        ("No cats here, only raccoons.", RACCOON, True),
        ("TWO RACCOONS!!", RACCOON, True),
        ("Is that a raccoon?", RACCOON, True),
        ("I see an animal.", RACCOON, True),
        ("A cat looks at the camera.", CAT, True),
        ("A kitten looks at the camera.", CAT, True),
        ("There is a horse in the picture.", CAT, False),
        ("There is a zebra in the picture.", COFFEE, False),
        ("There are no animals in this picture.", COFFEE, True),
        ("A cup of coffee on a table.", COFFEE, None),
    ],
)
def test_answers(verifier, text, image, expected):
    answer = verifier.verify(text, image)
    assert answer.verdict.value is expected, answer.to_json()


def test_prints_true_or_false_alone():
    done = script("pipeline.py", "--text", "There is a raccoon.", "--image", RACCOON)
    assert (done.stdout, done.stderr) == ("True\n", "")
    for flag in ("--image_path", "--image-path"):
        done = script("pipeline.py", "--text", "There is a cow.", flag, RACCOON)
        assert (done.stdout, done.stderr) == ("False\n", "")


def test_undecided_says_so_on_stderr():
    done = script("pipeline.py", "--text", "A sunny day.", "--image", RACCOON)
    assert done.stdout == "False\n"
    assert done.stderr == "undecided: the text names no animal\n"


def test_json():
    text = "There is a raccoon, but no dog."
    arguments = ("--text", text, "--image", RACCOON, "--format", "json")
    row = json.loads(script("pipeline.py", *arguments).stdout)
    assert row["text"] == text and row["image"] == str(RACCOON)
    assert row["verdict"] is True and row["answer"] == "True" and row["error"] is None
    assert row["reason"] == "NAMED_ANIMAL_FOUND" and "dog absent" in row["explanation"]
    raccoon, dog = row["claims"]
    assert list(raccoon) == [
        *("mention", "start", "end", "animal", "negated", "cue", "probability", "holds")
    ]
    assert (raccoon["mention"], raccoon["start"], raccoon["end"]) == ("raccoon", 11, 18)
    assert (dog["animal"], dog["negated"], dog["holds"]) == ("dog", True, True)
    assert (raccoon["cue"], dog["cue"]) == (None, "no")
    prediction = row["prediction"]
    assert prediction["label"] == "raccoon" and prediction["known"] is True
    assert prediction["top"][0] == ["raccoon", prediction["probability"]]


@pytest.mark.parametrize(
    ("text", "code"), [("A raccoon.", 0), ("A cow.", 10), ("A sunny day.", 10)]
)
def test_exit_code(text, code):
    arguments = ("pipeline.py", "--text", text, "--image", RACCOON)
    assert script(*arguments, "--exit-code", check=False).returncode == code
    assert script(*arguments).returncode == 0


def test_match_all(verifier):
    strict = Verifier(verifier.classifier, verifier.reader, match="all")
    text = "There is a raccoon and a cow."
    assert verifier.verify(text, RACCOON).verdict.value is True
    assert strict.verify(text, RACCOON).verdict.value is False


def test_torch_is_never_imported():
    code = """
import runpy, sys
sys.argv = ["pipeline.py", "--text", "A cow.", "--image", sys.argv[1]]
try:
    runpy.run_path("pipeline.py", run_name="__main__")
except SystemExit:
    pass
heavy = {"torch", "torchvision", "transformers", "onnx", "matplotlib"} & set(sys.modules)
assert not heavy, heavy
"""
    assert script("-c", code, RACCOON).stdout == "False\n"


def test_list_animals():
    lines = script("pipeline.py", "--list-animals").stdout.splitlines()
    assert len(lines) == 92 and not any("other" in line.split(":")[0] for line in lines)
    assert any(line.startswith("killer_whale: killer whale, orca") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--text", "A cow."), "needs --text and --image, or --pairs and --output"),
        (("--text", "", "--image", RACCOON), "--text is empty; expected a sentence"),
        (("--text", "a cow \udcff", "--image", RACCOON), "--text is not UTF-8 text"),
        (("--text", "A cow.", "--image", "none.jpg"), "none.jpg: no such file"),
        (("--text", "A cow.", "--image", SAMPLES), "a folder; expected an image file"),
        (("--text", "A cow.", "--image", "README.md"), "README.md: not an image"),
        (("--pairs", "pairs.csv"), "a batch needs --pairs and --output"),
        (("--pairs", "none.csv", "--output", "out.csv"), "none.csv: No such file"),
        (("--text", "A cow.", "--image", RACCOON, "--match", "most"), "invalid choice: 'most'"),
        (("--text", "A cow.", "--image", RACCOON, "--ner-model", "x"), "no model at x/model.onnx"),
    ],
)
def test_bad_input_is_one_line(arguments, message):
    assert message in error_of(script("pipeline.py", *arguments, check=False))


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
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert {type(row["verdict"]) for row in rows} == {bool, type(None)}
        names = {None: "", True: "true", False: "false"}
        return [
            {k: names[v] if v is None or isinstance(v, bool) else v for k, v in row.items()}
            for row in rows
        ]
    delimiter = "\t" if path.suffix == ".tsv" else ","
    return list(csv.DictReader(path.open(newline=""), delimiter=delimiter))


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl"])
def test_batch(pairs, ending):
    output = pairs.with_name(f"answers.{ending}")
    done = script("pipeline.py", "--pairs", pairs, "--output", output, check=False)
    assert done.returncode == 3 and done.stdout == ""
    assert "3 rows could not be answered" in done.stderr
    rows = rows_of(output)
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
    pairs.write_text("caption,photo\nA cow.,raccoon.jpg\n")
    output = pairs.with_name("answers.csv")
    done = script("pipeline.py", "--pairs", pairs, "--output", output, check=False)
    assert "no column text or image; expected text,image" in error_of(done)
    assert not output.exists()


def test_help_is_quick():
    import time

    start = time.perf_counter()
    script("pipeline.py", "--help")
    assert time.perf_counter() - start < 3  # 0.3 s on a quiet machine; torch alone takes longer
