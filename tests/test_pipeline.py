"""The command on the sample photos with the models that ship in the repository."""

import json

import pytest
from conftest import error_of, script

from common.paths import ROOT
from pipeline import Verifier

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
    strict = Verifier(verifier.classifier, verifier.extractor, match="all")
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
        (("--pairs", "data/samples/pairs.csv", "--output", "out.txt"), "out.txt: unknown ending"),
        (("--pairs", "data/samples/pairs.csv", "--output", "no/out.csv"), "no folder no"),
        (
            ("--pairs", "data/samples/pairs.csv", "--output", "data/samples/pairs.csv"),
            "is the table of pairs",
        ),
        (
            ("--pairs", "a.csv", "--output", "b.csv", "--resume", "--overwrite"),
            "argument --overwrite: not allowed with argument --resume",
        ),
        (("--text", "A cow.", "--image", RACCOON, "--match", "most"), "invalid choice: 'most'"),
        (
            ("--text", "A cow.", "--image", RACCOON, "--ner-model", "x"),
            "no text model in x: it has no config.json",
        ),
    ],
)
def test_bad_input_is_one_line(arguments, message):
    assert message in error_of(script("pipeline.py", *arguments, check=False))


def test_help_is_quick():
    import time

    start = time.perf_counter()
    script("pipeline.py", "--help")
    assert time.perf_counter() - start < 3  # 0.3 s on a quiet machine; torch alone takes longer
