"""The training loop, step by step: what it sets, measures, keeps and prints."""

import math
from itertools import count
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
import torch
from PIL import Image
from test_common_training_loop import CPU, Line, run
from torch import nn

from common.errors import InputError
from common.training.loop import autocast, pick_device, split_decay


@pytest.fixture
def axes(monkeypatch):
    """The two halves of the picture, which takes longer to draw than the training."""
    halves = MagicMock(), MagicMock()
    monkeypatch.setattr("matplotlib.figure.Figure.subplots", lambda *_: halves)
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda *_, **__: None)
    return halves


class Watched(Line):
    """Remembers the losses and the weights that it is asked to evaluate; fails from a batch on."""

    def __init__(self, *args, fails_from=math.inf, batches=8, **options):
        super().__init__(*args, **options)
        self.batches = (self.batches * 4)[:batches]
        self.losses, self.weights, self.fails_from = [], [], fails_from

    def loss(self, batch):
        assert self.model.training
        value = super().loss(batch)
        self.losses.append(value.item())
        return value * math.nan if len(self.losses) > self.fails_from else value

    def evaluate(self, model):
        assert not model.training
        self.weights.append(model[1].weight.detach().clone())
        return super().evaluate(model)


def rows_of(folder):
    header, *lines = (line.split(",") for line in (folder / "log.csv").read_text().splitlines())
    return [dict(zip(header, map(float, line), strict=True)) for line in lines]


@pytest.mark.parametrize(
    ("device", "precision", "cpu", "cuda", "enabled"),
    [
        ("cpu", "bf16", {}, False, True),
        ("cpu", "fp32", {"avx512_bf16": True}, True, False),
        ("cpu", "auto", {"avx512_bf16": True}, False, True),
        ("cpu", "auto", {"avx512_bf16": False}, True, False),
        ("cpu", "auto", {}, True, False),
        ("cuda", "auto", {}, True, True),
        ("cuda", "auto", {"avx512_bf16": True}, False, False),
        ("cuda", "fp32", {}, True, False),
        ("meta", "auto", {"avx512_bf16": True}, False, True),
    ],
)
def test_mixed_precision(device, precision, cpu, cuda, enabled, monkeypatch):
    supported = MagicMock(return_value=cuda)
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: cpu)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", supported)
    monkeypatch.setattr("torch.autocast", lambda *args, **options: (*args, options["enabled"]))
    assert autocast(torch.device(device), precision) == (device, torch.bfloat16, enabled)
    if supported.called:
        supported.assert_called_once_with(including_emulation=False)


@pytest.mark.parametrize(
    ("name", "available", "device"),
    [("cpu", True, "cpu"), ("auto", True, "cuda"), ("cuda", True, "cuda"), ("auto", False, "cpu")],
)
def test_device(name, available, device, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: available)
    assert pick_device(name) == torch.device(device)


def test_scalars_are_not_decayed():
    groups = split_decay(
        [{"params": [nn.Parameter(torch.zeros(())), nn.Parameter(torch.ones(2, 2))]}]
    )
    assert [(g["params"][0].dim(), g.get("weight_decay")) for g in groups] == [(2, None), (0, 0.0)]


def test_without_warm_up_the_first_step_has_the_peak(tmp_path, axes, monkeypatch):
    rates, plain = [], torch.optim.AdamW.step
    monkeypatch.setattr(
        "torch.optim.AdamW.step",
        lambda self, *args: (rates.append(self.param_groups[0]["lr"]), plain(self, *args))[1],
    )
    run(tmp_path, task=Watched(rate=0.3), epochs=1, warmup=0.0)
    assert rates[0] == pytest.approx(0.3) and rates[1] < 0.3


def test_each_epoch_has_a_seed_of_its_own(tmp_path, axes, monkeypatch):
    task, seeds = Watched(), []
    monkeypatch.setattr("torch.manual_seed", seeds.append)
    run(tmp_path, task=task, epochs=2, seed=3)
    assert seeds == [3001, 3002]


def test_a_model_trains_in_training_mode_and_is_left_in_evaluation_mode(tmp_path, axes):
    task = Watched()
    task.eval()
    run(tmp_path, task=task, epochs=2)
    assert not task.training and not task.model.training


def test_the_logged_loss_is_the_mean_over_the_batches(tmp_path, axes, capsys):
    task = Watched()
    run(tmp_path, task=task, epochs=2)
    means = [sum(part) / 8 for part in (task.losses[:8], task.losses[8:])]
    assert [row["train_loss"] for row in rows_of(tmp_path)] == pytest.approx(means, rel=1e-5)
    first, second = capsys.readouterr().err.splitlines()  # and no progress bar
    assert first.startswith(f"epoch 1  train_loss {means[0]:.4g}  ")
    assert second.startswith("epoch 2  train_loss")


def test_seconds_of_an_epoch(tmp_path, axes, monkeypatch):
    clock = SimpleNamespace(monotonic=count(100, 3).__next__)
    monkeypatch.setattr("common.training.loop.time", clock)
    run(tmp_path, epochs=2)
    assert [row["seconds"] for row in rows_of(tmp_path)] == [3, 3]


@pytest.mark.parametrize(
    ("fails_from", "seen"),
    [(0, 1), (1, 21), (20, 21), (21, 25)],  # every 20th loss is looked at, and the mean
)
def test_a_loss_that_is_no_number_is_found_within_20_steps(fails_from, seen, tmp_path, axes):
    task = Watched(fails_from=fails_from, batches=25)
    with pytest.raises(InputError, match="epoch 1: the loss is nan"):
        run(tmp_path, task=task, epochs=1)
    assert len(task.losses) == seen
    assert not task.weights


@pytest.mark.parametrize(
    ("scores", "best"), [([0.2, 0.9, 0.1], 1), ([0.9, 0.2, 0.9], 0), ([0.1, 0.2, 0.3], 2)]
)
def test_the_weights_of_the_best_epoch_are_left(scores, best, tmp_path, axes):
    task = Watched(scores)
    run(tmp_path, task=task, epochs=3)
    assert len(task.weights) == 3
    assert [torch.equal(task.model[1].weight, seen) for seen in task.weights] == [
        i == best for i in range(3)
    ]


def test_a_run_says_once_that_it_stopped(tmp_path, axes, capsys):
    run(tmp_path, epochs=9, patience=2, scores=[0.5, 0.4, 0.3, 0.2])
    assert capsys.readouterr().err.count("stopped:") == 1


@pytest.mark.parametrize("fingerprint", [None, "", "~"])
def test_checkpoints_of_other_runs_are_refused(fingerprint, tmp_path, axes, monkeypatch):
    run(tmp_path, epochs=1)
    path = tmp_path / "checkpoint.pt"
    torch.save(torch.load(path, weights_only=True) | {"fingerprint": fingerprint}, path)
    load = MagicMock(side_effect=torch.load)
    monkeypatch.setattr("torch.load", load)
    with pytest.raises(InputError, match="another configuration"):
        run(tmp_path, epochs=2)
    load.assert_called_once_with(path, map_location=CPU, weights_only=True)  # runs no code


def test_what_the_picture_shows(tmp_path, axes):
    run(tmp_path, epochs=2, scores=[0.25, 0.5])
    left, right = (
        [(*call.args, call.kwargs["label"]) for call in half.plot.call_args_list] for half in axes
    )
    losses = [row["train_loss"] for row in rows_of(tmp_path)]
    assert left == [([1], losses[:1], "train loss"), ([1, 2], losses, "train loss")]
    assert right[2:] == [([1, 2], [-0.25, -0.5], "other"), ([1, 2], [0.25, 0.5], "score")]
    for half in axes:
        half.set_xlabel.assert_called_with("epoch")
        half.legend.assert_called()


def test_the_picture(tmp_path):
    from matplotlib import pyplot

    run(tmp_path, epochs=1)
    assert Image.open(tmp_path / "curve.png").size == (900, 320)
    assert not pyplot.get_fignums()
