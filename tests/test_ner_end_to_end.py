"""A tiny BERT through train, evaluate, export and inference, by the real scripts."""

import json
import shutil

import numpy as np
import pytest
from conftest import error_of, script, write_jsonl

TEXT = "A red fox lives in New York."


def test_training_leaves_a_complete_folder(tiny_ner):
    config = json.loads((tiny_ner / "config.json").read_text())
    assert list(config["faunacheck"]["heads"]) == ["entity", "claim"]
    assert config["type_vocab_size"] == 20 and len(config["id2label"]) == 40
    settings = json.loads((tiny_ner / "train_config.json").read_text())
    assert settings["epochs"] == 6 and settings["learning_rate"] == 3e-3
    assert len((tiny_ner / "log.csv").read_text().splitlines()) == 7
    assert (tiny_ner / "curve.png").stat().st_size > 1000


def test_weights_of_another_run(tiny_ner, tmp_path):
    from safetensors.numpy import load_file, save_file

    from common.errors import InputError
    from ner.model import load

    shutil.copytree(tiny_ner, folder := tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    weights["classifier.bias"] += 1
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match="not the weights that config"):
        load(folder)


def test_a_run_that_was_killed_goes_on_with_its_configuration(tiny_ner, tmp_path):
    """Without its model, a run is one that was killed after its last epoch."""
    folder = tmp_path / "model"
    shutil.copytree(tiny_ner, folder)
    (folder / "model.safetensors").unlink()
    refused = ("ner/train.py", "--output", folder, "--resume", "--mask", 0.3)
    assert "--mask is 0.0 in " in error_of(script(*refused, check=False))
    done = script("ner/train.py", "--output", folder, "--resume")
    assert "epoch" not in done.stderr
    for name in ("train_config.json", "log.csv", "model.safetensors"):
        assert (folder / name).read_bytes() == (tiny_ner / name).read_bytes()
    assert done.stderr.splitlines()[-1].startswith("next: python ner/export.py --data ")
    assert "holds a run" in error_of(script("ner/train.py", "--output", folder, check=False))


def test_transformers_loads_the_folder(tiny_ner):
    from transformers import BertForTokenClassification

    model = BertForTokenClassification.from_pretrained(tiny_ner)
    assert model.config.id2label[7] == "B-ANIM"


def test_evaluation_finds_the_pattern(tiny_ner, tagged, tmp_path):
    claims = write_jsonl(
        tmp_path / "claims.jsonl",
        [
            {
                "text": f"{word} cow lives in Rome.",
                "category": "plain",
                "split": half,
                "claims": [{"start": len(word) + 1, "end": len(word) + 4, "negated": word == "No"}],
                "photos": {},
            }
            for half, word in (("look", "A"), ("report", "No"))
        ],
    )
    look = tmp_path / "registers.jsonl"
    look.write_text(claims.read_text().splitlines()[0] + "\n")
    texts = ("--claims", claims, "--registers", look)
    base = ("ner/evaluate.py", "--model", tiny_ner, *texts, "--output", tmp_path)
    done = script(*base, "--data", tagged)
    figures = json.loads((tmp_path / "evaluation.json").read_text())
    assert figures["runtime"] == "onnx"
    assert figures["weights"]["micro"]["f1"]["value"] > 0.9
    assert figures["gazetteer"]["ANIM_f1"]["value"] == 1  # each name in these sentences is one
    assert figures["claims"]["report"]["claims_f1"]["value"] == 1
    listed = figures["claims_of_gazetteer"]
    assert listed["look"]["claims_f1"]["value"] == listed["report"]["mentions_f1"]["value"] == 1
    assert listed["report"]["claims_f1"]["value"] == 0  # what is denied
    assert figures["registers"] == {"look": figures["claims"]["look"]}
    assert figures["registers_of_gazetteer"] == {"look": listed["look"]}
    validation = script(*base, "--data", tagged, "--split", "val", "--runtime", "torch").stdout
    assert validation.startswith("split val  runtime torch  sentences 20")
    one_file = script(*base, "--data", tagged / "validation.jsonl", "--runtime", "torch").stdout
    assert one_file.splitlines()[1:] == validation.splitlines()[1:]
    assert figures["sentences"] == 30 and figures["micro"]["entities"] == 60
    assert figures["micro"]["f1"]["value"] > 0.9
    assert figures["types"]["ANIM"]["f1"]["value"] > 0.9
    assert "sentences 30" in done.stdout and "ANIM" in done.stdout


def test_torch_and_onnx_agree(tiny_ner, tagged):
    import torch

    from ner.data import read_jsonl
    from ner.model import as_function, load
    from ner.predictor import Recognizer
    from ner.windows import word_probabilities

    words = [sentence.words for sentence in read_jsonl(tagged / "test.jsonl")]
    model, preprocess = load(tiny_ner)
    slices = preprocess.config.slices
    expected = word_probabilities(as_function(model, torch.device("cpu")), preprocess, words)
    recognizer = Recognizer.load(tiny_ner)
    found = word_probabilities(recognizer.model, recognizer.preprocess, words)
    for a, b in zip(expected, found, strict=True):
        for part in slices.values():
            sure = a[:, part].max(axis=1) > 0.6
            assert (a[sure, part].argmax(axis=1) == b[sure, part].argmax(axis=1)).all()
        assert np.abs(a - b).max() < 0.1  # int8 weights; fp32 agrees to 1e-4


def test_inference_formats(tiny_ner, tmp_path):
    base = ("ner/inference.py", "--model", tiny_ner)
    assert script(*base, "--text", TEXT).stdout.startswith("red fox  ANIM  ")
    row = json.loads(script(*base, "--text", TEXT, "--format", "json").stdout)
    assert row["text"] == TEXT
    found = [(e["text"], e["label"], e["start"], e["end"]) for e in row["entities"]]
    assert found == [("red fox", "ANIM", 2, 9), ("New York", "LOC", 19, 27)]
    assert all(0 < e["score"] <= 1 for e in row["entities"])
    file = tmp_path / "texts.txt"
    file.write_text(f"{TEXT}\n\nA cow lives in Rome.\n")
    lines = script(*base, "--file", file, "--format", "jsonl").stdout.splitlines()
    assert [len(json.loads(line)["entities"]) for line in lines] == [2, 0, 2]


def test_long_texts_are_read_to_the_end(tiny_ner):
    sentence = "A cow lives in Paris. "
    text = sentence * 200  # over 2,000 sub-words: several windows
    done = script("ner/inference.py", "--model", tiny_ner, "--text", text, "--format", "json")
    entities = json.loads(done.stdout)["entities"]
    cows = {(e["start"], e["end"]) for e in entities if e["label"] == "ANIM"}
    places = [i * len(sentence) + 2 for i in range(200)]
    assert cows <= {(start, start + len("cow")) for start in places}
    assert len(cows) > 190 and max(cows)[0] > len(text) - 30


def test_claims_command(tiny_ner):
    text = "No cow lives in Paris."
    base = ("matching/claims.py", "--model", tiny_ner, "--text", text)
    assert script(*base).stdout == "no cow: cow\n"
    row = json.loads(script(*base, "--format", "jsonl").stdout)
    claim = {"mention": "cow", "start": 3, "end": 6, "animal": "cow", "negated": True, "cue": "No"}
    assert row == {"text": text, "claims": [claim]}


def test_partial_annotation_and_replacement_are_read(tiny_bert, tagged, tmp_path):
    places = [{"tokens": ["Cows", "in", "Rome"], "tags": ["O", "O", "B-LOC"]}] * 8
    partial = write_jsonl(tmp_path / "places.jsonl", places)
    names = tmp_path / "names.json"
    names.write_text('{"ANIM": ["gnu"]}')
    done = script(
        *("ner/train.py", "--data", tagged, "--output", tmp_path / "out", "--epochs", 1),
        *("--base-model", tiny_bert, "--partial", f"LOC,PER={partial}", "--names", names),
    )
    said = "160 training sentences, 8 partly annotated, 0 with mentions, 20 for validation"
    assert said in done.stderr


def test_a_trained_folder_as_base_keeps_what_it_learned(tiny_ner):
    from ner.model import build, load

    trained, _ = load(tiny_ner)
    again, _ = build(str(tiny_ner))
    for name, value in trained.state_dict().items():
        assert (again.state_dict()[name] == value).all(), name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--data", "nowhere"), "nowhere/train.jsonl: No such file"),
        (("--base-model", "no/such/model"), "--base-model no/such/model: no text encoder at"),
        (("--partial", "CATS=x.jsonl"), "--partial CATS=x.jsonl: expected TYPES=FILE"),
        (("--mask", "0.9"), "mask must be in [0, 0.5], not 0.9"),
        (("--entity-weight", "-1"), "entity_weight must be at least 0, not -1.0"),
        (("--names", "none.json"), "none.json: "),
        (("--everyday", "nowhere"), "nowhere/train.jsonl: No such file"),
        (("--resume",), "--resume: no run in"),
    ],
)
def test_bad_training_input(arguments, message, tagged, tiny_bert, tmp_path):
    base = ("--data", tagged, "--base-model", tiny_bert, "--output", tmp_path, "--epochs", 1)
    offline = {"HF_HUB_OFFLINE": "1"}
    done = script("ner/train.py", *base, *arguments, check=False, env=offline)
    assert message in done.stderr.splitlines()[-1]
    assert done.returncode == 2 and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("not json", "line 1: Expecting value"),
        ('{"tokens": ["a"]}', "line 1: 'tags'"),
        ('{"tokens": ["a"], "tags": ["O", "O"]}', "line 1: tags that fit neither"),
        ('{"tokens": ["a"], "tags": ["B-UNICORN"]}', "UNICORN"),
    ],
)
def test_bad_sentences(line, message, tiny_ner, tmp_path):
    file = tmp_path / "bad.jsonl"
    file.write_text(line + "\n")
    done = script("ner/evaluate.py", "--model", tiny_ner, "--data", file, check=False)
    assert message in error_of(done)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--text", "  "), "--text is empty"),
        (("--file", "none.txt"), "none.txt: No such file"),
        ((), "one of the arguments --text --file is required"),
    ],
)
def test_bad_text(arguments, message, tiny_ner):
    base = ("ner/inference.py", "--model", tiny_ner)
    assert message in error_of(script(*base, *arguments, check=False))


def test_checkpoint_of_another_shape(tiny_ner, tagged, tmp_path):
    broken = tmp_path / "model"
    shutil.copytree(tiny_ner, broken)
    config = json.loads((broken / "config.json").read_text())
    config["hidden_size"] = 64
    (broken / "config.json").write_text(json.dumps(config))
    data = ("--data", tagged / "test.jsonl")
    done = script("ner/evaluate.py", "--model", broken, *data, check=False)
    assert "no token classifier in" in done.stderr.splitlines()[-1] and done.returncode == 2
