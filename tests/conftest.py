"""Tiny models and data that the tests make for themselves, and how they call the scripts."""

import csv
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

# One thread a process: workers of pytest-xdist share the cores, and tiny models gain nothing from
# more. Before anything loads a numerical library, which reads it once.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from common.paths import ROOT, data_root

TINY = ("--encoder", "test_resnet", "--weights")  # a file of `tiny_backbone`
COLOURS = {"cow": (200, 40, 40), "lion": (40, 200, 40), "raccoon": (40, 40, 200)}


def pytest_collection_modifyitems(items):
    """Skip what needs the training data where it is not, and say so."""
    missing = pytest.mark.skip(reason=f"no training data at {data_root()} (set FAUNACHECK_DATA)")
    for item in items:
        if "data" in item.keywords and not data_root().is_dir():
            item.add_marker(missing)


def script(*arguments: object, check: bool = True, **options) -> subprocess.CompletedProcess:
    """Run a script of the repository as a user does; fail with its stderr if it fails."""
    environment = os.environ | options.pop("env", {})
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=environment,
        **options,
    )
    assert not check or done.returncode == 0, done.stderr
    return done


def calls(function: Callable[[], object]) -> int:
    """Count the calls of functions, those in C included, that something takes: no clock."""
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


def error_of(done: subprocess.CompletedProcess) -> str:
    """The one line of a command that refused its input."""
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ")
    return line


def noise_pairs(folder: Path, count: int, text: str) -> Path:
    """A table of distinct texts and photos of noise; every 50th photo is missing."""
    chance = np.random.default_rng(0)
    lines = ["text,image"]
    for i in range(count):
        if i % 50 != 7:
            pixels = chance.integers(0, 255, (40, 60, 3), np.uint8)
            Image.fromarray(pixels).save(folder / f"{i}.jpg")
        lines.append(f"{text.format(i)},{i}.jpg")
    (folder / "pairs.csv").write_text("\n".join(lines) + "\n")
    return folder / "pairs.csv"


@pytest.fixture(scope="session")
def made_once(tmp_path_factory) -> Callable[[str, Callable[[Path], object]], Path]:
    """A function of a name and of what fills the folder of that name: one worker does, all read."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # a worker's own folder lies in that of the whole run

    def folder_of(name: str, fill: Callable[[Path], object]) -> Path:
        folder, done = root / name, root / f"{name}.done"
        with FileLock(root / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of a worker that failed
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return folder_of


@pytest.fixture(scope="session")
def photos(made_once) -> Path:
    """A tree of noisy plain-coloured photos: the class is the colour."""
    return made_once("photos", write_photos)


def write_photos(root: Path) -> None:
    """Write 25 noisy photos of each colour."""
    chance = np.random.default_rng(0)
    for label, colour in COLOURS.items():
        (root / label).mkdir()
        for i in range(25):
            noise = chance.integers(-30, 30, (48, 64, 3))
            pixels = (np.array(colour) + noise).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(root / label / f"{i:02}.jpg")


@pytest.fixture(scope="session")
def hard_photos(tmp_path_factory) -> Path:
    """Photos whose colours overlap, of three classes of unequal size and four sources a class.

    A model gets most of them right and many wrong, so that each metric has a value of its own.
    """
    root = tmp_path_factory.mktemp("hard_photos")
    chance = np.random.default_rng(0)
    rows = [("path", "label", "source", "split")]
    for (label, colour), count in zip(COLOURS.items(), (120, 72, 36), strict=True):
        for i in range(count):
            drawn = np.array(colour) + chance.normal(0, 75, 3)
            pixels = drawn + chance.integers(-20, 20, (32, 32, 3))
            name = f"{label}{i:03}.jpg"
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / name)
            split = ("train", "test", "train", "val", "test", "train")[i % 6]
            rows.append((name, label, f"{label}-{i % 4}", split))
    with open(root / "manifest.csv", "w", newline="") as file:
        csv.writer(file).writerows(rows)
    return root


def model_config(classes, encoder="test_resnet", **changes):
    """The configuration of a classifier before it is trained."""
    from classifier.config import ModelConfig

    seen = {"resize": 64, "crop": 64, "mean": (0.5,) * 3, "std": (0.5,) * 3}
    seen |= {"max_aspect": 1.15, "interpolation": "bilinear"}
    return ModelConfig(classes, encoder, **seen | changes)


def random_weights(path, encoder, **options) -> Path:
    """A file of random weights of an encoder, with its head over ImageNet's categories if any."""
    import timm
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    save_file(timm.create_model(encoder, **options).state_dict(), path)
    return path


@pytest.fixture(scope="session")
def tiny_backbone(made_once) -> Path:
    """Random weights of a ResNet of one block a stage."""
    folder = made_once(
        "backbone",
        lambda path: random_weights(path / "resnet.safetensors", "test_resnet", num_classes=5),
    )
    return folder / "resnet.safetensors"


@pytest.fixture(scope="session")
def tiny_classifier(photos, tiny_backbone, made_once) -> Path:
    """A model folder from train.py and export.py."""

    def train(folder):
        script(
            *("classifier/train.py", "--data", photos, "--output", folder, "--epochs", 2),
            *(*TINY, tiny_backbone, "--size", 64, "--batch-size", 16, "--workers", 0),
            *("--unfreeze", "last-stage"),
        )
        script("classifier/export.py", "--model", folder, "--data", photos)

    return made_once("classifier", train)


ANIMALS = ("cow", "red fox", "lion", "horse")
PLACES = ("Paris", "New York", "Rome", "Berlin")


def sentences(count: int, seed: int) -> list[dict[str, list[str]]]:
    """Sentences with one animal and one place."""
    chance = random.Random(seed)
    rows = []
    for _ in range(count):
        animal, place = chance.choice(ANIMALS).split(), chance.choice(PLACES).split()
        tokens = ["A", *animal, "lives", "in", *place, "."]
        tags = ["O", "B-ANIM", *["I-ANIM"] * (len(animal) - 1), "O", "O"]
        tags += ["B-LOC", *["I-LOC"] * (len(place) - 1), "O"]
        rows.append({"tokens": tokens, "tags": tags})
    return rows


def write_jsonl(path: Path, rows: list[dict]) -> Path:
    """Write JSON Lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="session")
def tagged(tmp_path_factory) -> Path:
    """A folder in the layout of MultiNERD."""
    folder = tmp_path_factory.mktemp("tagged")
    for split, count in {"train": 160, "validation": 20, "test": 30}.items():
        write_jsonl(folder / f"{split}.jsonl", sentences(count, len(split)))
    return folder


@pytest.fixture(scope="session")
def everyday(tmp_path_factory) -> Path:
    """A folder as data/everyday.py writes it: animals, half of them denied with "no"."""
    folder = tmp_path_factory.mktemp("everyday")
    for split, count in {"train": 160, "validation": 20}.items():
        rows = []
        for row in sentences(count, 7 * count):
            denied = len(rows) % 2
            tokens = ["No" if denied else "A", *row["tokens"][1:]]
            tags = [t.replace("-ANIM", "+-"[denied]) for t in row["tags"]]
            mentions = ["O" if "LOC" in tag else tag for tag in tags]
            cues = [denied, *[0] * (len(tokens) - 1)]
            rows.append({"tokens": tokens, "mentions": mentions, "cues": cues})
        write_jsonl(folder / f"{split}.jsonl", rows)
    return folder


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory) -> Path:
    """A random BERT of two layers with a vocabulary of letters and a few words."""
    import torch
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("bert")
    letters = [*(chr(code) for code in range(33, 127)), "¶"]
    words = " ".join((*ANIMALS, *PLACES, "a no lives in")).lower().split()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = dict.fromkeys([*specials, *letters, *(f"##{c}" for c in letters), *words])
    tokenizer = BertWordPieceTokenizer({token: i for i, token in enumerate(vocabulary)})
    BertTokenizerFast(tokenizer_object=tokenizer._tokenizer).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
    )
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_ner(tagged, everyday, tiny_bert, made_once) -> Path:
    """A model folder from train.py and export.py."""

    def train(folder):
        script(
            *("ner/train.py", "--data", tagged, "--output", folder, "--base-model", tiny_bert),
            *("--epochs", 6, "--batch-size", 8, "--learning-rate", 3e-3, "--mask", 0),
            *("--head-learning-rate", 1e-2, "--ema-decay", 0.9, "--everyday", everyday),
        )
        script("ner/export.py", "--model", folder, "--data", tagged / "validation.jsonl")

    return made_once("ner", train)
