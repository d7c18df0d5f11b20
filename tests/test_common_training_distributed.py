"""Training in several processes: the same as in one."""

import csv

import pytest
from conftest import script
from safetensors.torch import load_file

from classifier.predictor import PhotoClassifier
from common.paths import ROOT
from common.training.distributed import ShardedBatchSampler, local_shard

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", 2)


def test_one_process_has_all_of_a_batch():
    assert local_shard([3, 1, 2]) == [3, 1, 2]
    assert (
        list(ShardedBatchSampler([[1, 2], [3]])) == [[1, 2], [3]]
        and len(ShardedBatchSampler([[1, 2], [3]])) == 2
    )


@pytest.mark.parametrize(("rank", "expected"), [(0, [0, 3]), (1, [1, 4]), (2, [2])])
def test_shares_of_three(rank, expected, monkeypatch):
    monkeypatch.setattr("common.training.distributed.rank", lambda: rank)
    monkeypatch.setattr("common.training.distributed.world_size", lambda: 3)
    assert local_shard([0, 1, 2, 3, 4]) == expected
    assert local_shard([7]) == [7]  # never nothing


def log(folder):
    with open(folder / "log.csv", newline="") as file:
        return [
            {k: float(v) for k, v in row.items() if k != "seconds"} for row in csv.DictReader(file)
        ]


@pytest.mark.slow
def test_two_processes_train_as_one(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir(), two.mkdir()
    script(ROOT / "tests/fit_line.py", one)
    done = script(*TORCHRUN, ROOT / "tests/fit_line.py", two)
    assert done.stderr.count("epoch 1 ") == 1  # the second one is quiet
    assert len(log(one)) == 3
    for expected, found in zip(log(one), log(two), strict=True):
        assert found == pytest.approx(expected, rel=1e-4)
    weights = [load_file(folder / "best.safetensors") for folder in (one, two)]
    assert weights[0]["weight"].allclose(weights[1]["weight"], atol=1e-5)


@pytest.mark.slow
def test_rows_of_two_processes_are_gathered_with_their_gradients():
    one = script(ROOT / "tests/gather_rows.py").stdout.split()
    two = script(*TORCHRUN, ROOT / "tests/gather_rows.py").stdout.split()
    assert len(one) == 1 + 12 and float(one[0]) > 0.1
    assert list(map(float, two)) == pytest.approx(list(map(float, one)), abs=2e-4)


@pytest.mark.slow
def test_two_processes_train_the_classifier(photos, tiny_backbone, tmp_path):
    folder = tmp_path / "model"
    done = script(
        *(*TORCHRUN, ROOT / "classifier/train.py", "--data", photos, "--output", folder),
        *(
            "--epochs",
            2,
            "--encoder",
            "test_resnet",
            "--weights",
            tiny_backbone,
            "--size",
            64,
            "--batch-size",
            16,
        ),
        *("--workers", 0, "--unfreeze", "last-stage"),
    )
    assert done.stderr.count("model folder:") == 1
    assert log(folder)[-1]["accuracy"] > 0.9
    script("classifier/export.py", "--model", folder, "--data", photos)
    (seen,) = PhotoClassifier.load(folder).predict([photos / "cow/00.jpg"])
    assert seen.top(1)[0][0] == "cow"


@pytest.mark.slow
def test_two_processes_train_the_recogniser(tagged, everyday, tiny_bert, tmp_path):
    done = script(
        *(*TORCHRUN, ROOT / "ner/train.py", "--data", tagged, "--output", tmp_path / "model"),
        *("--base-model", tiny_bert, "--everyday", everyday, "--epochs", 2, "--batch-size", 7),
    )
    assert done.stderr.count("model folder:") == 1
    first, second = log(tmp_path / "model")
    assert second["train_loss"] < first["train_loss"]
