"""A text model's folder says what its outputs are, and a wrong one is refused in one line."""

import json
import os
from dataclasses import asdict

import pytest
from conftest import error_of, script

from common.config import fingerprint
from common.errors import InputError
from common.paths import NER_MODEL
from ner.config import ModelConfig
from ner.labels import CLAIM_TYPES, HEADS, MARKS, STATUS


@pytest.fixture
def folder(tmp_path):
    """The shipped model behind a configuration that names other weights."""
    for name in ("model.onnx", "tokenizer.json"):
        os.symlink(NER_MODEL / name, tmp_path / name)
    own = ModelConfig(weights="sha256:" + "0" * 64)
    labels = dict(enumerate(own.outputs))
    config = {"id2label": labels, "type_vocab_size": 20, "faunacheck": asdict(own)}
    (tmp_path / "config.json").write_text(json.dumps(config))
    return tmp_path


def change(folder, **values):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["faunacheck"] |= values
    path.write_text(json.dumps(config))


def test_the_outputs_are_those_of_two_heads():
    assert CLAIM_TYPES == ("affirmed", "denied", "referring", "cue")
    assert STATUS == {"+": "affirmed", "-": "denied", "=": "referring"}
    status = [f"{prefix}-{type_}" for type_ in CLAIM_TYPES for prefix in "BI"]
    assert status[:3] == ["B-affirmed", "I-affirmed", "B-denied"]
    claim = ["O", *status]
    assert list(HEADS) == ["entity", "claim"] and HEADS["claim"] == claim
    config = ModelConfig()
    assert config.slices == {"entity": slice(0, 31), "claim": slice(31, 40)}
    assert config.outputs[:3] == ["O", "B-PER", "I-PER"]
    assert config.outputs[31:] == [f"claim:{label}" for label in claim]
    assert (config.window, config.overlap, config.weights) == (256, 64, None)


def test_a_folder_is_read_as_it_was_written(folder):
    assert ModelConfig.load(folder) == ModelConfig(weights="sha256:" + "0" * 64)
    change(folder, window=100, overlap=50)
    config = ModelConfig.load(folder)
    assert (config.window, config.overlap) == (100, 50)


def test_the_shipped_folder_says_what_it_is():
    config = ModelConfig.load(NER_MODEL)
    assert config == ModelConfig(weights=fingerprint(NER_MODEL / "model.safetensors"))
    raw = json.loads((NER_MODEL / "config.json").read_text())
    assert config.outputs == list(raw["id2label"].values())
    assert raw["type_vocab_size"] == MARKS["shapes"] * MARKS["names"]


TURNED = {name: HEADS[name] for name in ("claim", "entity")}
OLDER = {
    **{"entity": HEADS["entity"], "mention": ["O", "B-ANIMAL", "I-ANIMAL"]},
    **{"polarity": ["affirmed", "denied"], "cue": ["other", "cue"]},
}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"heads": TURNED}, 'heads cannot be {"claim": '),
        ({"heads": {**HEADS, "claim": HEADS["claim"][::-1]}}, "heads cannot be "),
        ({"heads": {**HEADS, "claim": HEADS["claim"][:-2]}}, "heads cannot be "),
        ({"heads": {**HEADS, "cue": ["other", "cue"]}}, "heads cannot be "),
        ({"heads": {"claim": HEADS["claim"]}}, "heads cannot be "),
        ({"heads": {**HEADS, "entity": HEADS["entity"][:-2]}}, "heads must have the labels of id2"),
        ({"heads": OLDER}, "is of an older version; train it anew: ner/train.py"),
        ({"heads": None}, "is not a text model's configuration: "),
        ({"marks": {"shapes": 4, "names": 3}}, "marks cannot be "),
        ({"window": 2}, "window cannot be 2"),
        ({"window": "512"}, 'window cannot be "512"'),
        ({"overlap": -1}, "overlap cannot be -1"),
        ({"overlap": 129}, "overlap cannot be 129, over half the window"),
        ({"weights": None}, "weights cannot be null"),
        ({"name_odds": 4.0}, "is not a text model's configuration: "),
    ],
)
def test_impossible_values_are_refused(folder, values, message):
    change(folder, **values)
    with pytest.raises(InputError) as error:
        ModelConfig.load(folder)
    assert message in str(error.value) and "\n" not in str(error.value)
    assert str(folder / "config.json") in str(error.value)


def test_other_weights_are_refused_by_the_command(folder):
    done = script("ner/inference.py", "--model", folder, "--text", "A cow.", check=False)
    assert "model.onnx was exported from other weights" in error_of(done)


@pytest.mark.parametrize("values", [None, {}, {"heads": OLDER, "name_odds": 4.0, "denied": 0.5}])
def test_an_older_folder_is_refused_by_the_command(folder, values):
    path = folder / "config.json"
    config = json.loads(path.read_text()) | {"faunacheck": values}
    path.write_text(json.dumps({k: v for k, v in config.items() if v is not None}))
    done = script("matching/claims.py", "--model", folder, "--text", "A cow.", check=False)
    assert f"{path} is of an older version; train it anew: ner/train.py" in error_of(done)


@pytest.mark.parametrize(
    "content",
    [
        "version https://git-lfs.github.com/spec/v1\noid sha256:47b2\nsize 711396\n",
        (NER_MODEL / "tokenizer.json").read_text(encoding="utf-8")[:300_000],
        '{"version": "1.0"}',
        "",
    ],
    ids=["pointer", "half a file", "no tokenizer", "empty"],
)
def test_a_damaged_tokenizer_is_named_in_one_line(folder, content):
    path = folder / "tokenizer.json"
    path.unlink()
    path.write_text(content, encoding="utf-8")
    done = script("ner/inference.py", "--model", folder, "--text", "A cow.", check=False)
    assert f"{path}: not a readable tokenizer" in error_of(done)
