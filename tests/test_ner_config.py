"""A text model's folder says what its outputs are, and a wrong one is refused in one line."""

import json
import os

import pytest
from conftest import error_of, script

from common.config import fingerprint
from common.errors import InputError
from common.paths import NER_MODEL
from ner.config import ModelConfig
from ner.labels import HEADS, MARKS


@pytest.fixture
def folder(tmp_path):
    """The shipped model, its configuration free to be changed."""
    for name in ("model.onnx", "tokenizer.json"):
        os.symlink(NER_MODEL / name, tmp_path / name)
    (tmp_path / "config.json").write_text((NER_MODEL / "config.json").read_text())
    return tmp_path


def change(folder, **values):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["faunacheck"] |= values
    path.write_text(json.dumps(config))


def test_the_shipped_folder_says_what_it_is():
    config = ModelConfig.load(NER_MODEL)
    assert config == ModelConfig(weights=fingerprint(NER_MODEL / "model.safetensors"))
    raw = json.loads((NER_MODEL / "config.json").read_text())
    assert config.outputs == list(raw["id2label"].values())
    assert config.slices["polarity"] == slice(34, 36)
    assert raw["type_vocab_size"] == MARKS["shapes"] * MARKS["names"]


SHUFFLED = {name: HEADS[name] for name in ("mention", "entity", "polarity", "cue")}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"heads": SHUFFLED}, 'heads cannot be {"mention": '),
        ({"heads": {**HEADS, "polarity": ["denied", "affirmed"]}}, "heads cannot be "),
        ({"heads": {"entity": HEADS["entity"]}}, "heads cannot be "),
        ({"heads": {**HEADS, "entity": HEADS["entity"][:-2]}}, "heads must have the labels of id2"),
        ({"heads": None}, "heads cannot be null"),
        ({"marks": {"shapes": 4, "names": 3}}, "marks cannot be "),
        ({"window": 2}, "window cannot be 2"),
        ({"window": "512"}, 'window cannot be "512"'),
        ({"overlap": -1}, "overlap cannot be -1"),
        ({"overlap": 300}, "overlap cannot be 300, over half the window"),
        ({"name_odds": 0}, "name_odds cannot be 0"),
        ({"denied": 1.5}, "denied cannot be 1.5"),
        ({"cue": None}, "cue cannot be null"),
        ({"weights": None}, "weights cannot be null"),
        ({"colour": 1}, "is not a text model's configuration: "),
    ],
)
def test_impossible_values_are_refused(folder, values, message):
    change(folder, **values)
    with pytest.raises(InputError) as error:
        ModelConfig.load(folder)
    assert message in str(error.value) and "\n" not in str(error.value)
    assert str(folder / "config.json") in str(error.value)


def test_other_weights_are_refused_by_the_command(folder):
    change(folder, weights="sha256:" + "0" * 64)
    done = script("ner/inference.py", "--model", folder, "--text", "A cow.", check=False)
    assert "model.onnx was exported from other weights" in error_of(done)


def test_an_older_folder_is_told_how_to_migrate_and_answers_as_before(folder):
    import onnx

    model = onnx.load(NER_MODEL / "model.onnx")
    for named in model.graph.input:
        named.name = {"marks": "token_type_ids"}.get(named.name, named.name)
    for node in model.graph.node:
        node.input[:] = [{"marks": "token_type_ids"}.get(name, name) for name in node.input]
    del model.metadata_props[:]
    (folder / "model.onnx").unlink()
    onnx.save(model, folder / "model.onnx")
    os.symlink(NER_MODEL / "model.safetensors", folder / "model.safetensors")
    path = folder / "config.json"
    config = json.loads(path.read_text())
    expected = config.pop("faunacheck")
    path.write_text(json.dumps(config))
    ask = ("matching/claims.py", "--model", folder, "--text", "No cows, but a red fox.")
    message = f"is of an older version: python models/migrate.py {folder}"
    assert message in error_of(script(*ask, check=False))
    migrate = ("models/migrate.py", folder)
    script(*migrate)
    assert json.loads(path.read_text()) == config | {"faunacheck": expected}
    assert script(*ask).stdout == "no cows: cow; red fox: red fox\n"
    assert "nothing to migrate" in error_of(script(*migrate, check=False))


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


@pytest.mark.parametrize(
    ("values", "text", "expected"),
    [
        ({"name_odds": 500}, "Hold your horses.", "horses: horse\n"),
        ({"name_odds": 0.002}, "Hold your horses.", "no animal named\n"),
        ({"denied": 0.9999999}, "There is no cow.", "cow: cow\n"),
    ],
)
def test_thresholds_are_read_from_the_folder(folder, values, text, expected):
    change(folder, **values)
    assert script("matching/claims.py", "--model", folder, "--text", text).stdout == expected
