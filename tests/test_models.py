"""The shipped models: complete, the same in torch and ONNX, and as good as their cards say."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from benchmarks.measure import with_classes
from classifier.data import read_classes, read_photos, select
from classifier.model import load as load_classifier
from classifier.predict import photo_logits
from classifier.predictor import PhotoClassifier
from common.evaluation.metrics import f1
from common.images.load import load_image
from common.paths import CLASSIFIER_MODEL, NER_MODEL, ROOT, data_root
from common.text.words import split_words
from common.training.forward import torch_model
from ner.data import read_jsonl
from ner.labels import TYPES
from ner.model import as_function
from ner.model import load as load_ner
from ner.predictor import Recognizer
from ner.report import count_matches, predict_tags
from ner.windows import word_probabilities

TEXTS = (
    "There is a cow in the picture.",
    "No cats here, only dogs.",
    "We saw a red fox in a garden near Oxford.",
    "The giant panda lives in Sichuan; Marie Curie did not.",
)


@pytest.mark.parametrize("folder", [CLASSIFIER_MODEL, NER_MODEL], ids=["classifier", "ner"])
def test_folders_are_complete_and_hold_no_pickle(folder):
    names = {path.name for path in folder.iterdir()}
    assert {"model.safetensors", "model.onnx", "config.json", "train_config.json"} <= names
    assert {"evaluation.json", "export.json", "README.md"} <= names
    assert not [name for name in names if Path(name).suffix in (".pt", ".pth", ".bin", ".pkl")]


@pytest.mark.parametrize(
    ("folder", "operators", "count"),
    [
        (CLASSIFIER_MODEL, ("QLinearConv", "QGemm"), 54),
        (NER_MODEL, ("DynamicQuantizeMatMul", "MatMulIntegerToFloat"), 37),
    ],
    ids=["classifier", "ner"],
)
def test_sums_overflow_on_no_processor(folder, operators, count):
    """Two products of 8-bit activations and weights fit 16 bits, in which AVX2 adds them."""
    graph = onnx.load(folder / "model.onnx").graph
    parts = [numpy_helper.to_array(part) for part in graph.initializer]
    weights = [part for part in parts if part.dtype == np.int8 and part.ndim > 1]
    assert len(weights) == count <= sum(node.op_type in operators for node in graph.node)
    assert 2 * 255 * max(np.abs(weight.astype(int)).max() for weight in weights) < 2**15


def test_classifier_in_torch_and_onnx():
    """Same label on the samples; int8 probabilities within 0.1."""
    import torch

    model, config = load_classifier(CLASSIFIER_MODEL)
    images = [load_image(path) for path in sorted((ROOT / "data/samples").glob("*.jpg"))]
    inputs = np.stack([config.preprocess(image) for image in images])
    quick_classifier = PhotoClassifier.load()
    taxonomy = quick_classifier.taxonomy
    torch_logits = torch_model(model, torch.device("cpu"))
    exact = list(PhotoClassifier(torch_logits, None, config, taxonomy).predict(images))
    quick = quick_classifier.predict(images)
    for a, b, image in zip(exact, quick, inputs, strict=True):
        assert image.shape == (3, config.crop, config.crop)
        assert a.known == b.known
        assert a.top(1)[0][0] == b.top(1)[0][0]
        for name, value in a.probabilities.items():
            assert b.probabilities[name] == pytest.approx(value, abs=0.1)
    assert [a.known for a in exact] == [True, False, True]  # a cat, coffee, a raccoon


def test_ner_in_torch_and_onnx():
    """Same labels on everyday sentences; int8 probabilities within 0.15."""
    import torch

    model, preprocess = load_ner(NER_MODEL)
    slices = preprocess.config.slices
    words = [[word.text for word in split_words(text)] for text in TEXTS]
    exact = word_probabilities(as_function(model, torch.device("cpu")), preprocess, words)
    quick = word_probabilities(Recognizer.load().model, preprocess, words)
    for a, b in zip(exact, quick, strict=True):
        for part in slices.values():
            sure = a[:, part].max(axis=1) > 0.6
            assert (a[sure, part].argmax(axis=1) == b[sure, part].argmax(axis=1)).all()
        assert np.abs(a - b).max() < 0.15


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("There is a cow in the picture.", [("cow", 11, 14)]),
        ("I see a dog.", [("dog", 8, 11)]),
        ("🐄🐄 “That’s a raccoon!” — said\nthe café owner", [("raccoon", 13, 20)]),
        ("TWO GEESE ON THE ROOF!!", [("GEESE", 4, 9)]),
        ("A man is cleaning a window.", []),
    ],
)
def test_animals_in_everyday_text(text, expected):
    (found,) = Recognizer.load().entities([text])
    assert [(e.text, e.start, e.end) for e in found if e.label == "ANIM"] == expected


def test_one_moose_in_a_long_letter():
    letter = "We had rain all week and the car broke down near the town. " * 120
    text = letter + "Then we saw a moose. " + letter
    (found,) = Recognizer.load().entities([text])
    animals = [(e.text, e.start) for e in found if e.label == "ANIM"]
    assert animals == [("moose", text.index("moose"))]


@pytest.mark.data
def test_classifier_on_the_test_split():
    """As int8, as it is shipped; the card's interval is the tolerance."""
    classifier = PhotoClassifier.load()
    model, config = with_classes(
        classifier.model, classifier.config, read_classes(ROOT / "data/awa2_classes.txt")
    )
    photos = select(read_photos(data_root() / "animals"), "test", config.animals)
    logits, targets, _ = photo_logits(model, config, photos)
    whole = json.loads((CLASSIFIER_MODEL / "evaluation.json").read_text())
    card = whole["restricted"]["awa2_classes"]
    assert len(targets) == card["photos"] == 931
    assert (logits.argmax(axis=1) == targets).mean() > card["accuracy"]["value"] - 0.006


@pytest.mark.data
def test_ner_on_the_test_split():
    """As int8, as it is shipped, on a third of the sentences."""
    recognizer = Recognizer.load()
    sentences = read_jsonl(data_root() / "multinerd_en/test.jsonl")[::3]
    tags = predict_tags(recognizer.model, recognizer.preprocess, sentences)
    counts = count_matches([s.tags for s in sentences], tags)
    card = json.loads((NER_MODEL / "evaluation.json").read_text())["micro"]
    assert f1(counts) > card["f1"]["low"] - 0.01
    assert counts[:, TYPES.index("ANIM"), 2].sum() > 40
