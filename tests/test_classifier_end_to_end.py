"""A tiny ResNet through train, evaluate, export and inference, by the real scripts."""

import csv
import io
import json
import shutil

import numpy as np
import pytest
from conftest import COLOURS, TINY, error_of, model_config, script
from PIL import Image
from safetensors.numpy import load_file, save_file
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    classification_report,
    confusion_matrix,
)

from classifier.data import Photo
from classifier.model import Classifier
from classifier.quantize import export_both
from common.errors import InputError


def test_training_leaves_a_complete_folder(tiny_classifier):
    config = json.loads((tiny_classifier / "config.json").read_text())
    assert config["classes"] == sorted(COLOURS)
    assert config["encoder"] == "test_resnet" and config["interpolation"] == "bilinear"
    assert (config["crop"], config["mean"], config["std"]) == (224, [0.5] * 3, [0.5] * 3)
    assert 0 < config["temperature"] < 10 and 0 < config["claim_threshold"] < 1
    assert np.isfinite(config["known_threshold"])
    settings = json.loads((tiny_classifier / "train_config.json").read_text())
    assert settings["epochs"] == 2 and settings["unfreeze"] == "last-stage"
    log = list(csv.DictReader((tiny_classifier / "log.csv").open()))
    assert [row["epoch"] for row in log] == ["1", "2"]
    assert (tiny_classifier / "curve.png").stat().st_size > 1000


def test_splits_are_saved_and_stratified(tiny_classifier):
    rows = list(csv.DictReader((tiny_classifier / "splits.csv").open()))
    for label in COLOURS:
        splits = [row["split"] for row in rows if row["label"] == label]
        assert {s: splits.count(s) for s in splits} == {"train": 20, "val": 2, "test": 3}


def start_of(backbone):
    """The weights that fine-tuning starts from."""
    from common.encoders.image import create_image_encoder

    weights = create_image_encoder("test_resnet", str(backbone)).state_dict()
    return {name: value.numpy() for name, value in weights.items()}


def test_frozen_layers_stay_and_the_last_stage_moves(tiny_classifier, tiny_backbone):
    assert load_file(tiny_classifier / "model.safetensors")["conv1.0.weight"].dtype == np.float16
    before, after = start_of(tiny_backbone), load_file(tiny_classifier / "best.safetensors")
    same = {k: np.array_equal(before[k].astype(after[k].dtype), after[k]) for k in before}
    assert same["conv1.0.weight"] and same["layer3.0.conv1.weight"] and same["bn1.running_mean"]
    assert not same["layer4.0.conv1.weight"]


def test_evaluation_tells_the_colours_apart(tiny_classifier, photos, tmp_path):
    done = script(
        *("classifier/evaluate.py", "--model", tiny_classifier, "--data", photos),
        *("--output", tmp_path),
    )
    said = "split test  runtime onnx  photos 9  accuracy 1.000 [1.000, 1.000]"
    assert done.stdout.startswith(said)
    figures = json.loads((tmp_path / "evaluation.json").read_text())
    assert figures["accuracy"] == figures["macro_accuracy"] == {"value": 1, "low": 1, "high": 1}
    assert figures["weights"]["accuracy"]["value"] == 1 and figures["restricted"] == {}
    assert figures["majority_class"]["accuracy"]["value"] == pytest.approx(1 / 3, abs=1e-4)
    assert figures["classes"]["lion"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "photos": 3}
    assert np.array(figures["confusion_matrix"]).trace() == 9
    for name in ("confusion.png", "reliability.png"):
        assert (tmp_path / name).stat().st_size > 1000
    assert sum(row["photos"] for row in figures["reliability"]) == 9


def test_scores_of_a_model_that_is_often_wrong(hard_photos, tiny_backbone, tmp_path):
    """Each figure has its own value, and what inference answers gives the same ones."""
    train = ("classifier/train.py", "--data", hard_photos, *TINY, tiny_backbone)
    script(*train, "--unfreeze", "none", "--augmented-copies", 0, "--output", tmp_path)
    script("classifier/export.py", "--model", tmp_path, "--data", hard_photos)
    script("classifier/evaluate.py", "--model", tmp_path, "--data", hard_photos)
    figures = json.loads((tmp_path / "evaluation.json").read_text())
    with open(hard_photos / "manifest.csv") as file:
        test = {row["path"]: row["label"] for row in csv.DictReader(file) if row["split"] == "test"}
    paths = [hard_photos / name for name in test]
    infer = ("classifier/inference.py", "--model", tmp_path, "--format", "csv", "--image")
    answers = [row["label"] for row in csv.DictReader(io.StringIO(script(*infer, *paths).stdout))]
    truth = list(test.values())
    accuracy = figures["accuracy"]
    assert figures["photos"] == len(truth) == 76 and 0.6 <= accuracy["value"] <= 0.9
    assert accuracy["value"] == pytest.approx(accuracy_score(truth, answers), abs=1e-4)
    macro = balanced_accuracy_score(truth, answers)
    assert figures["macro_accuracy"]["value"] == pytest.approx(macro, abs=1e-4)
    assert abs(macro - accuracy["value"]) > 0.01
    assert 0.02 < accuracy["value"] - accuracy["low"] < 0.2
    expected = classification_report(truth, answers, output_dict=True, zero_division=0)
    for label, row in figures["classes"].items():
        for name, key in {"precision": "precision", "recall": "recall", "f1": "f1-score"}.items():
            assert row[name] == pytest.approx(expected[label][key], abs=1e-4)
    assert any(abs(row["precision"] - row["recall"]) > 0.02 for row in figures["classes"].values())
    assert figures["confusion_matrix"] == confusion_matrix(truth, answers).tolist()
    assert 0 < figures["calibration_error"]["value"] < 0.4
    assert figures["majority_class"]["accuracy"]["value"] == pytest.approx(40 / 76, abs=1e-4)


def test_an_answer_restricted_to_some_classes(tiny_classifier, photos, tmp_path):
    classes = tmp_path / "classes.txt"
    classes.write_text("lion\nraccoon\n")
    other = tmp_path / "other.txt"
    other.write_text("cow\nlion\n")
    base = ("classifier/evaluate.py", "--model", tiny_classifier, "--data", photos)
    for runtime in ("onnx", "torch"):
        restricted = ("--classes", classes, "--classes", other, "--runtime", runtime)
        said = script(*base, *restricted, "--output", tmp_path).stdout
        assert "restricted classes       photos 6  accuracy 1.000 [1.000, 1.000]" in said
    figures = json.loads((tmp_path / "evaluation.json").read_text())
    assert figures["photos"] == 9 and figures["restricted"]["other"]["photos"] == 6
    assert list(figures["restricted"]["classes"]["classes"]) == ["lion", "raccoon"]
    assert figures["runtime"] == "torch" and "weights" not in figures
    classes.write_text("lion\nunicorn\n")
    done = script(*base, "--classes", classes, check=False)
    assert error_of(done) == "error: --classes: the model has no class unicorn"


def test_a_model_that_knows_what_it_does_not_know(photos, tiny_backbone, tmp_path):
    """Yellow penguins are no class and teach other_animal, grey scenes teach not_animal.

    The backbone comes with a head over ImageNet, too, which knows nothing.
    """
    weights = load_file(tiny_backbone)
    depth = weights["fc.weight"].shape[1]
    weights |= {
        "fc.weight": np.zeros((1000, depth), np.float32),
        "fc.bias": np.zeros(1000, np.float32),
    }
    backbone = tmp_path / "imagenet.safetensors"
    save_file(weights, backbone)
    data, folder, classes = tmp_path / "data", tmp_path / "out", tmp_path / "classes.txt"
    shutil.copytree(photos, data)
    chance = np.random.default_rng(1)
    for label, colour in {"penguin": (220, 220, 30), "not_animal": (60, 60, 60)}.items():
        (data / label).mkdir()
        for i in range(25):
            pixels = np.array(colour) + chance.integers(-30, 30, (48, 64, 3))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(data / label / f"{i}.jpg")
    names = sorted([*COLOURS, "not_animal", "other_animal"])
    classes.write_text("\n".join(names))
    train = ("classifier/train.py", "--data", data, "--output", folder, "--classes", classes)
    script(*train, *TINY, backbone, "--unfreeze", "none")
    assert load_file(folder / "model.safetensors")["imagenet.weight"].shape == (1000, depth)
    assert not (folder / "log.csv").exists()
    script("classifier/export.py", "--model", folder, "--data", data)
    assert json.loads((folder / "config.json").read_text())["classes"] == names

    done = script("classifier/evaluate.py", "--model", folder, "--data", data)
    assert "called_known" in done.stdout
    unknown = json.loads((folder / "evaluation.json").read_text())["unknown"]
    for kind in ("not_animal", "other_animal"):
        assert unknown[kind]["photos"] == 3
        detectors = unknown[kind]["detectors"]
        assert max(detectors[name]["auroc"]["value"] for name in ("max_softmax", "odds")) > 0.9
        assert unknown[kind]["called_known"]["value"] < 0.4

    base = ("classifier/inference.py", "--model", folder, "--format", "json", "--image")
    scene = json.loads(script(*base, data / "not_animal/3.jpg").stdout)
    assert scene["known"] is False and scene["predictions"][0]["label"] == "not_animal"
    bird = json.loads(script(*base, data / "penguin/3.jpg").stdout)
    assert bird["known"] is False and bird["predictions"][0]["label"] == "other_animal"
    assert bird["concept"]["name"] in ("other animal", "animal")
    listed = script("pipeline.py", "--list-animals", "--classifier-model", folder).stdout
    assert [line.split(":")[0] for line in listed.splitlines()] == sorted(COLOURS)


def test_mixing_and_layers_by_policy(photos, tiny_backbone, tmp_path):
    options = ("--epochs", 1, "--size", 32, "--workers", 2, "--mixup-share", 1, "--unfreeze", "all")
    train = ("classifier/train.py", "--data", photos, "--output", tmp_path, *options)
    done = script(
        *train,
        "--encoder",
        "test_resnet",
        "--weights",
        tiny_backbone,
        "--learning-rate",
        0.01,
        "--ema-decay",
        0,
    )
    assert done.stderr.count("interpolation ") == 5
    before, after = start_of(tiny_backbone), load_file(tmp_path / "best.safetensors")
    for layer in ("conv1.0", "layer1.0.conv1", "layer3.0.conv1", "layer4.0.conv1"):
        assert np.abs(before[f"{layer}.weight"] - after[f"{layer}.weight"]).max() > 1e-5
    assert np.array_equal(before["bn1.running_mean"], after["bn1.running_mean"])


def test_augmented_views_change_the_head_and_repeat_themselves(photos, tiny_backbone, tmp_path):
    heads = []
    for run, views in enumerate((2, 2, 0)):
        output = tmp_path / str(run)
        script(
            *(
                "classifier/train.py",
                "--data",
                photos,
                "--encoder",
                "test_resnet",
                "--weights",
                tiny_backbone,
            ),
            *("--unfreeze", "none", "--augmented-copies", views, "--output", output),
        )
        heads.append(load_file(output / "model.safetensors")["fc.weight"])
    assert np.array_equal(heads[0], heads[1])
    assert np.abs(heads[0] - heads[2]).max() > 1e-3


def test_the_head_alone_is_fitted_anew_to_given_weights(
    tiny_classifier, photos, tiny_backbone, tmp_path
):
    given = load_file(tiny_classifier / "probe.safetensors")
    headless = {k: np.zeros_like(v) if k.startswith("fc.") else v for k, v in given.items()}
    save_file(headless, tmp_path / "start.safetensors")
    base = (
        "classifier/train.py",
        "--data",
        photos,
        "--encoder",
        "test_resnet",
        "--weights",
        tiny_backbone,
        "--start",
    )
    options = ("--unfreeze", "none", "--output")
    done = script(*base, tmp_path / "start.safetensors", *options, tmp_path / "out")
    assert "accuracy 0.3333" in done.stderr.splitlines()[1]  # share 0: no head
    weights = load_file(tmp_path / "out/model.safetensors")
    for name, value in weights.items():
        assert np.array_equal(headless[name].astype(value.dtype), value) != name.startswith("fc.")
    done = script(*base, tiny_backbone, *options, tmp_path / "other", check=False)
    assert done.returncode == 2
    assert "resnet.safetensors: weights of another shape" in done.stderr.splitlines()[-1]


@pytest.fixture(scope="module")
def seeded(photos, tiny_backbone, tmp_path_factory):
    """A run with another seed than 0; its photos and its folder."""
    root = tmp_path_factory.mktemp("seeded")
    data, folder = root / "photos", root / "model"
    shutil.copytree(photos, data)
    done = script(
        *("classifier/train.py", "--data", data, "--output", folder, "--seed", 3, "--epochs", 2),
        *("--encoder", "test_resnet", "--weights", tiny_backbone, "--size", 32, "--workers", 0),
        *("--unfreeze", "head"),
    )
    *_, model, following = done.stderr.splitlines()
    assert model == f"model folder: {folder}"
    assert following == f"next: python classifier/export.py --data {data} --model {folder}"
    script(*following.removeprefix("next: python ").split())
    return data, folder


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize(
    ("command", "untouched"),
    [
        (("classifier/evaluate.py",), ("train", "val")),
        (("classifier/evaluate.py", "--split", "val"), ("train", "test")),
        (("classifier/export.py",), ("test",)),
    ],
)
def test_later_steps_read_the_splits_of_the_run(command, untouched, seeded, tmp_path):
    """With the photos of all other splits damaged, none of them is missed, whatever the seed."""
    data, folder = tmp_path / "photos", tmp_path / "model"
    for here, there in zip(seeded, (data, folder), strict=True):
        shutil.copytree(here, there)
    rows = list(csv.DictReader((folder / "splits.csv").open()))
    for row in rows:
        if row["split"] in untouched:
            (data / row["path"]).write_bytes(b"damaged")
    done = script(*command, "--model", folder, "--data", data)
    assert "skipped" not in done.stderr


def test_photos_that_a_run_did_not_split_are_left_out(seeded, tmp_path):
    data = tmp_path / "photos"
    shutil.copytree(seeded[0], data)
    shutil.copy(data / "cow/00.jpg", data / "cow/new.jpg")
    base = ("classifier/evaluate.py", "--model", seeded[1], "--output", tmp_path, "--data")
    done = script(*base, data)
    assert " photos 9 " in done.stdout.splitlines()[0]
    assert f"left out: 1 photos that {seeded[1]}/splits.csv does not list" in done.stderr
    (seeded[1] / "splits.csv").rename(seeded[1] / "hidden.csv")
    done = script(*base, data, check=False)
    (seeded[1] / "hidden.csv").rename(seeded[1] / "splits.csv")
    assert f"whether {seeded[1]} was trained on cow/00.jpg is unknown" in error_of(done)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--resume", "--unfreeze", "none"), "--unfreeze is head in "),
        (("--resume", "--seed", 0), "--seed is 3 in "),
        (("--resume", "--epochs", 5), "--epochs is 2 in "),
        ((), "holds a run (model.safetensors); add --resume"),
    ],
)
def test_a_finished_model_is_never_overwritten_unasked(flags, message, seeded):
    before = content(seeded[1])
    done = script("classifier/train.py", "--output", seeded[1], *flags, check=False)
    assert message in error_of(done) and content(seeded[1]) == before


def test_resuming_a_finished_run_changes_nothing(seeded):
    before = content(seeded[1])
    done = script("classifier/train.py", "--output", seeded[1], "--resume")
    assert "next: python classifier/export.py" in done.stderr
    assert content(seeded[1]) == before


def test_a_bare_resume_goes_on_as_the_run_was_started(seeded, tmp_path, monkeypatch):
    """Killed after the first epoch, a run ends where the undisturbed one did."""
    from classifier import train
    from common.training import loop

    class Killed(Exception):
        pass

    def save_and_die(state, run, save=loop._State.save):
        save(state, run)
        raise Killed

    saved = json.loads((seeded[1] / "train_config.json").read_text())
    flags = [(f"--{k.replace('_', '-')}", str(v)) for k, v in saved.items() if v not in (None, [])]
    folder = tmp_path / "model"
    command = ["train.py", "--output", str(folder), *sum(flags, ())]
    monkeypatch.setattr("sys.argv", command)
    monkeypatch.setattr(loop._State, "save", save_and_die)
    with pytest.raises(Killed):
        train.main()
    assert len((folder / "log.csv").read_text().splitlines()) == 2
    assert not (folder / "model.safetensors").exists()
    before = content(folder)
    done = script("classifier/train.py", "--output", folder, "--resume", "--size", 64, check=False)
    assert "--size is 32 in " in error_of(done) and content(folder) == before
    script("classifier/train.py", "--output", folder, "--resume")
    assert len((folder / "log.csv").read_text().splitlines()) == 3
    for name in ("train_config.json", "splits.csv"):
        assert (folder / name).read_bytes() == (seeded[1] / name).read_bytes() == before[name]
    expected, found = (load_file(f / "best.safetensors") for f in (seeded[1], folder))
    assert all(np.allclose(expected[k], found[k], atol=1e-5) for k in expected)


def test_overwriting_starts_over_without_what_was_exported(seeded, tiny_backbone, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(seeded[1], folder)
    script(
        *("classifier/train.py", "--data", seeded[0], "--output", folder, "--overwrite"),
        *("--encoder", "test_resnet", "--weights", tiny_backbone, "--unfreeze", "none"),
    )
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("train_config.json", "splits.csv", "probe.safetensors", "model.safetensors"),
        "config.json",
    }


@pytest.fixture
def sources(photos, tmp_path):
    """The photos of the tree, of four sources of the same size, as a manifest."""
    folder = tmp_path / "sources"
    folder.mkdir()
    rows = []
    for i, path in enumerate(sorted(photos.rglob("*.jpg"))):
        split = "val" if i % 25 < 4 else "train"
        rows.append((path, path.parent.name, "abcd"[i % 4], split))
    with open(folder / "manifest.csv", "w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "source", "split"), *rows])
    return folder


@pytest.mark.slow
def test_what_fine_tuning_brings(sources, tiny_backbone, tmp_path):
    (tmp_path / "classes.txt").write_text("\n".join(COLOURS))
    command = (
        "benchmarks/fine_tuning.py",
        "--data",
        sources,
        "--encoder",
        "test_resnet",
        "--weights",
        tiny_backbone,
    )
    command += ("--classes", tmp_path / "classes.txt", "--output", tmp_path / "runs")
    command += ("--epochs", 1, "--only", "reference", "head", "--jobs", 2)
    first = script(*command)
    seen, new = first.stdout.strip().split("\n\n")[::2]
    assert seen == "9 validation photos of the sources seen, probe 1.000 [1.000, 1.000]"
    assert new.startswith("16 photos of the sources left out, probe 1.000")
    manifest = list(csv.DictReader((tmp_path / "runs/manifest.csv").open()))
    assert {row["source"] for row in manifest} == {"a", "c", "d"}
    rows = first.stdout.splitlines()[-2:]
    assert rows[0].startswith("| reference | 1 | ") and rows[0].endswith(
        "| +0.000 [+0.000, +0.000] |"
    )
    weights = [
        load_file(tmp_path / f"runs/{run}/best.safetensors") for run in ("reference-0", "head-0")
    ]
    probe = load_file(tmp_path / "runs/probe/probe.safetensors")
    moved = [
        not np.array_equal(w["layer4.0.conv1.weight"], probe["layer4.0.conv1.weight"])
        for w in weights
    ]
    assert moved == [True, False]
    again = script(*command)
    assert again.stdout == first.stdout and "epoch" not in again.stderr


def test_torch_and_onnx_agree(tiny_classifier, photos):
    import torch

    from classifier.model import load
    from classifier.predictor import PhotoClassifier
    from common.images.load import load_image
    from common.training.forward import torch_model

    model, config = load(tiny_classifier)
    images = [load_image(path) for path in sorted(photos.rglob("*.jpg"))[::10]]
    inputs = np.stack([config.preprocess(image) for image in images])
    expected = torch_model(model, torch.device("cpu"))(inputs)
    found = PhotoClassifier.load(tiny_classifier).model(inputs)
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()
    if json.loads((tiny_classifier / "export.json").read_text())["kept"] == "fp32":
        assert found == pytest.approx(expected, abs=1e-3)
    else:  # int8 may scale the logits, which the temperature undoes
        assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.95


def test_inference_formats(tiny_classifier, photos):
    image = photos / "lion/03.jpg"
    base = ("classifier/inference.py", "--model", tiny_classifier)
    text = script(*base, "--image", image).stdout
    assert text.startswith(f"{image}  lion 0.") or text.startswith(f"{image}  lion 1.")
    row = json.loads(script(*base, "--image", image, "--format", "json", "--topk", 3).stdout)
    assert set(row) == {"image", "known", "predictions", "concept", "error"}
    assert row["predictions"][0]["label"] == "lion" and row["error"] is None
    assert sum(p["probability"] for p in row["predictions"]) == pytest.approx(1, abs=1e-3)
    table = script(*base, "--folder", photos / "cow", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(table)))
    assert len(rows) == 25 and {row["label"] for row in rows} == {"cow"}


def test_runs_as_a_module_too(tiny_classifier, photos):
    image = photos / "cow/00.jpg"
    arguments = ("--model", tiny_classifier, "--image", image)
    as_file = script("classifier/inference.py", *arguments).stdout
    assert script("-m", "classifier.inference", *arguments).stdout == as_file


def test_a_bad_photo_is_a_row_among_others(tiny_classifier, photos, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_text("no photo")
    base = ("classifier/inference.py", "--model", tiny_classifier, "--format", "json", "--image")
    done = script(*base, bad, photos / "cow/00.jpg", check=False)
    first, second = json.loads(done.stdout)
    assert done.returncode == 3
    assert first["error"] == f"{bad}: not an image that can be read" and not first["predictions"]
    assert second["error"] is None
    assert str(bad) in error_of(script(*base, bad, check=False))


def test_training_skips_damaged_photos(photos, tiny_backbone, tmp_path):
    data = tmp_path / "photos"
    shutil.copytree(photos, data)
    for path in sorted(data.rglob("*.jpg"))[::7]:
        path.write_bytes(path.read_bytes()[:200])
    done = script(
        *("classifier/train.py", "--data", data, "--output", tmp_path / "out", "--epochs", 1),
        *(
            "--encoder",
            "test_resnet",
            "--weights",
            tiny_backbone,
            "--size",
            32,
            "--unfreeze",
            "head",
            "--workers",
            0,
        ),
    )
    assert "skipped: " in done.stderr and "damaged image" in done.stderr
    assert (tmp_path / "out/model.safetensors").exists()
    done = script("classifier/export.py", "--model", tmp_path / "out", "--data", data)
    assert "skipped: " in done.stderr and (tmp_path / "out/model.onnx").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--data", "nowhere"), "nowhere: no such folder"),
        (
            (*TINY, "none.safetensors"),
            "none.safetensors: no readable safetensors file",
        ),
        (("--epochs", "0"), "epochs must be above 0, not 0"),
        (("--augmented-copies", "-1"), "augmented_copies must be at least 0, not -1"),
        (("--unfreeze", "most"), "invalid choice: 'most'"),
        (("--classes", "none.txt"), "none.txt: No such file"),
    ],
)
def test_bad_training_input(arguments, message, photos, tiny_backbone, tmp_path):
    base = (
        "--data",
        photos,
        "--encoder",
        "test_resnet",
        "--weights",
        tiny_backbone,
        "--output",
        tmp_path,
    )
    done = script("classifier/train.py", *base, *arguments, check=False)
    assert message in error_of(done)


def test_backbone_that_cannot_be_downloaded(photos, tmp_path):
    nowhere = {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    base = ("classifier/train.py", "--data", photos, "--output", tmp_path / "out")
    done = script(*base, check=False, env=nowhere)
    assert (done.returncode, done.stdout) == (2, "") and "Traceback" not in done.stderr
    assert (
        "--weights imagenet: download of resnet50.tv2_in1k failed" in done.stderr.splitlines()[-1]
    )


def test_labels_unknown_to_the_model(tiny_classifier, photos, tmp_path):
    shutil.copytree(photos / "cow", tmp_path / "data/test/unicorn")
    shutil.copytree(photos / "cow", tmp_path / "data/test/dragon")
    done = script(
        *("classifier/evaluate.py", "--model", tiny_classifier, "--data", tmp_path / "data"),
        check=False,
    )
    assert "no photo in split test has a label that the model knows" in error_of(done)
    assert "cow, lion, raccoon" in error_of(done)


def test_checkpoint_of_another_shape(tiny_classifier, photos, tmp_path):
    broken = tmp_path / "model"
    shutil.copytree(tiny_classifier, broken)
    config = json.loads((broken / "config.json").read_text())
    config["classes"].append("zebra")
    (broken / "config.json").write_text(json.dumps(config))
    image = ("--image", photos / "cow/00.jpg")
    done = script("classifier/inference.py", "--model", broken, *image, check=False)
    assert "has 3 outputs; its configuration names 4" in error_of(done)
    evaluate = ("classifier/evaluate.py", "--model", broken, "--data", photos)
    done = script(*evaluate, "--runtime", "torch", check=False)
    assert "weights of another shape" in error_of(done)


@pytest.mark.parametrize("command", ["evaluate", "export"])
def test_weights_of_another_run(command, tiny_classifier, photos, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_classifier, folder)
    weights = load_file(folder / "model.safetensors")
    save_file({**weights, "fc.bias": weights["fc.bias"] + 1}, folder / "model.safetensors")
    before = content(folder)
    arguments = (f"classifier/{command}.py", "--model", folder, "--data", photos)
    assert "not the weights that config.json names" in error_of(script(*arguments, check=False))
    assert content(folder) == before


def test_no_model_in_the_folder(photos, tmp_path):
    image = ("--image", photos / "cow/00.jpg")
    done = script("classifier/inference.py", "--model", tmp_path, *image, check=False)
    assert f"no classifier in {tmp_path}" in error_of(done)


def test_empty_folder(tiny_classifier, tmp_path):
    done = script(
        *("classifier/inference.py", "--model", tiny_classifier, "--folder", tmp_path), check=False
    )
    assert "no image in it" in error_of(done)


def test_exporting_without_a_readable_photo_names_one(tmp_path):
    config = model_config(["cow", "lion"])
    missing = Photo(tmp_path / "cow.jpg", "cow", "train")
    with pytest.raises(InputError, match=r"no training photo can be read, e\.g\. .*cow\.jpg"):
        export_both(Classifier(config), config, [missing], tmp_path)
