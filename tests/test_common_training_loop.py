"""The training loop: it learns, stops early, averages, and resumes as if nothing had happened."""

import math
from unittest.mock import MagicMock

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from common.errors import InputError
from common.training.config import TrainingConfig
from common.training.loop import fit, lr_factor, pick_device, split_decay
from common.training.run_folder import RunFolder
from common.training.task import Task

CPU = torch.device("cpu")


class Interrupted(Exception):
    """Stands for a kill in the middle of a run."""


class Line(Task):
    """A line with dropout, so that the seed matters."""

    monitor = "score"

    def __init__(self, scores=None, break_at=None, scale=1.0, rate=0.05):
        super().__init__()
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Dropout(0.2), nn.Linear(3, 1))
        inputs = torch.randn(64, 3)
        self.batches = [(part, part.sum(dim=1, keepdim=True)) for part in inputs.split(8)]
        self.scores, self.break_at, self.scale, self.rate = scores, break_at, scale, rate
        self.evaluated = 0

    def loss(self, batch):
        return self.scale * nn.functional.mse_loss(self.model(batch[0]).float(), batch[1])

    def error(self, model):
        with torch.no_grad():
            return sum(nn.functional.mse_loss(model(x), y) for x, y in self.batches).item()

    def evaluate(self, model):
        self.evaluated += 1
        if self.evaluated == self.break_at:
            raise Interrupted
        # a loss comes first, so that the monitor is not the first score
        value = self.scores[self.evaluated - 1] if self.scores else -self.error(model)
        return {"other": -value, "score": torch.tensor(value).numpy()[()]}  # no plain float

    def param_groups(self):
        return [{"params": list(self.model.parameters()), "lr": self.rate}]


@pytest.fixture(autouse=True)
def axes(monkeypatch):
    """The two halves of the picture, which takes longer to draw than the training."""
    halves = MagicMock(), MagicMock()
    monkeypatch.setattr(
        "matplotlib.pyplot.subplots", lambda *args, **options: (MagicMock(), halves)
    )
    monkeypatch.setattr("matplotlib.pyplot.close", lambda figure: None)
    return halves


def configuration(**settings):
    defaults = {"epochs": 4, "learning_rate": 0.05, "head_learning_rate": 0.05, "patience": 9}
    return TrainingConfig(**defaults | {"precision": "fp32"} | settings)


def run(folder, scores=None, break_at=None, task=None, **settings):
    """Fit a line and return its weights and the task."""
    task = task or Line(scores, break_at)
    fit(task, task.batches, configuration(**settings), RunFolder(folder), CPU)
    return {k: v.clone() for k, v in task.model.state_dict().items()}, task


def test_it_learns(tmp_path):
    _, task = run(tmp_path, epochs=30, ema_decay=0.9)
    assert task.error(task.model) / 8 < 0.2  # 3.0 is the variance of the target


def test_a_resumed_run_equals_an_undisturbed_one(tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    expected, _ = run(tmp_path / "a")
    with pytest.raises(Interrupted):
        run(tmp_path / "b", break_at=3)
    found, _ = run(tmp_path / "b")
    assert all(torch.equal(expected[k], found[k]) for k in expected)
    assert len((tmp_path / "b/log.csv").read_text().splitlines()) == 5


def test_it_stops_when_the_score_no_longer_rises(tmp_path, capsys):
    run(tmp_path, epochs=9, patience=2, scores=[0.1, 0.5, 0.4, 0.5, 0.9, 0.9])
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 1 + 4
    assert "score has not risen for 2 epochs" in capsys.readouterr().err


def test_a_run_that_stopped_early_is_not_gone_on_with(tmp_path):
    scores = [0.5, 0.4, 0.3, 0.9]
    run(tmp_path, epochs=9, patience=2, scores=scores)
    _, task = run(tmp_path, epochs=9, patience=2, scores=scores)
    assert task.evaluated == 0


def test_the_best_epoch_is_kept(tmp_path):
    best, _ = run(tmp_path, epochs=3, scores=[0.9, 0.1, 0.2])
    saved = load_file(tmp_path / "best.safetensors")
    assert all(torch.equal(best[k], saved[k]) for k in saved)
    last = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["model"]
    assert not torch.equal(last["1.weight"], saved["1.weight"])


@pytest.mark.parametrize("scores", [[0.9, math.nan, 0.2], [math.nan, 0.1, 0.2]])
def test_a_score_that_is_no_number_ends_the_run_and_keeps_the_best(scores, tmp_path):
    epoch = 1 + scores.index(min(scores, key=math.isfinite))
    message = f"epoch {epoch}: score is nan at --learning-rate 0.05; try a lower one"
    with pytest.raises(InputError, match=message):
        run(tmp_path, epochs=3, scores=scores)
    kept = [path.name for path in tmp_path.iterdir()]
    assert ("best.safetensors" in kept) == ("checkpoint.pt" in kept) == (epoch == 2)


@pytest.mark.parametrize("scale", [math.nan, math.inf])
def test_a_loss_that_is_no_number_names_the_learning_rate(scale, tmp_path):
    with pytest.raises(InputError, match=r"epoch 1: the loss is .* at --learning-rate 0.05"):
        run(tmp_path, task=Line(scale=scale))


def test_resuming_another_model_or_configuration(tmp_path):
    run(tmp_path, epochs=1)
    other = Line()
    other.model = nn.Linear(5, 1)
    with pytest.raises(InputError, match="is of another model"):
        run(tmp_path, task=other)
    (tmp_path / "train_config.json").write_text("{}")
    with pytest.raises(InputError, match="is of another configuration or other splits"):
        run(tmp_path)


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("checkpoint.pt", lambda file: file.write_text("junk"), "cannot be read"),
        ("checkpoint.pt", lambda file: file.write_text(""), "cannot be read"),
        ("checkpoint.pt", lambda file: file.write_bytes(file.read_bytes()[:999]), "cannot be read"),
        ("best.safetensors", lambda file: file.unlink(), "no readable safetensors file"),
        ("best.safetensors", lambda file: file.write_text(""), "no readable safetensors file"),
    ],
)
def test_resuming_what_is_damaged(name, damage, message, tmp_path):
    _, task = run(tmp_path, epochs=2)
    damage(tmp_path / name)
    task.evaluated = 0
    with pytest.raises(InputError, match=f"{name}.* {message}"):
        run(tmp_path, task=task, epochs=2)
    assert task.evaluated == 0


# With 10 steps, 2 of them warm-up: a rise in two steps, then half a cosine.
FACTORS = [0.5, 0.975528, 0.904508, 0.793893, 0.654508, 0.5, 0.345492, 0.206107, 0.095492, 0.024472]


def test_the_learning_rate_rises_and_falls_as_a_cosine(tmp_path, recorded):
    assert [lr_factor(i, 2, 10) for i in range(10)] == pytest.approx(FACTORS, abs=1e-6)
    task = Line(rate=0.3)
    task.batches = task.batches[:5]
    run(tmp_path, task=task, epochs=2, warmup=0.2)
    assert [step["lr"] for step in recorded] == pytest.approx([0.3 * f for f in FACTORS], abs=1e-6)


@pytest.fixture
def recorded(monkeypatch):
    """What each step of the optimizer sees and does."""
    steps, plain = [], torch.optim.AdamW.step

    def step(self, closure=None):
        parameters = [p for group in self.param_groups for p in group["params"]]
        norm = torch.stack([p.grad.norm() for p in parameters]).norm().item()
        plain(self, closure)
        weights = [p.detach().clone() for p in parameters]
        steps.append({"lr": self.param_groups[0]["lr"], "norm": norm, "weights": weights})

    monkeypatch.setattr(torch.optim.AdamW, "step", step)
    return steps


@pytest.mark.parametrize(("scale", "clipped"), [(1000.0, True), (1e-4, False)])
def test_gradients_are_clipped_to_one(scale, clipped, tmp_path, recorded):
    run(tmp_path, task=Line(scale=scale), epochs=1)
    norms = [step["norm"] for step in recorded]
    if clipped:
        assert norms == pytest.approx([1.0] * 8, rel=1e-4)
    else:
        assert max(norms) < 0.01


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9])
def test_the_average_of_the_weights(decay, tmp_path, recorded):
    """It starts as the weights after the first step and then moves a share towards each."""
    found, _ = run(tmp_path, epochs=1, ema_decay=decay)
    expected = recorded[0]["weights"]
    for step in recorded[1:]:
        pairs = zip(expected, step["weights"], strict=True)
        expected = [decay * average + (1 - decay) * weight for average, weight in pairs]
    assert torch.allclose(found["1.weight"], expected[0], atol=1e-6)
    assert torch.allclose(found["1.bias"], expected[1], atol=1e-6)


def test_biases_and_norms_are_not_decayed():
    layer, norm = nn.Linear(3, 2), nn.LayerNorm(2)
    groups = split_decay(
        [
            {"params": [*layer.parameters(), *norm.parameters()], "lr": 0.1},
            {"params": [nn.Parameter(torch.zeros(2))], "lr": 0.2},
        ]
    )
    assert [(len(g["params"]), g["lr"], g.get("weight_decay")) for g in groups] == [
        (1, 0.1, None),
        (3, 0.1, 0.0),
        (1, 0.2, 0.0),
    ]


def test_parts_of_a_loss_are_added_and_logged(tmp_path):
    class Parts(Line):
        def loss(self, batch):
            value = super().loss(batch)
            return {"image": value, "text": 2 * value}

    run(tmp_path, task=Parts(), epochs=1)
    header, values = (tmp_path / "log.csv").read_text().splitlines()
    row = dict(zip(header.split(","), map(float, values.split(",")), strict=True))
    assert row["train_text"] == pytest.approx(2 * row["train_image"])
    assert row["train_loss"] == pytest.approx(3 * row["train_image"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs must be above 0, not 0"),
        ({"learning_rate": -1.0}, "learning_rate must be above 0, not -1.0"),
        ({"warmup": 1.5}, r"warmup must be in \[0, 1\), not 1.5"),
        ({"ema_decay": 1.0}, r"ema_decay must be in \[0, 1\), not 1.0"),
        ({"weight_decay": -0.1}, "weight_decay must be at least 0, not -0.1"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(InputError, match=message):
        TrainingConfig(**settings)


def test_devices():
    assert pick_device("cpu") == CPU
    if not torch.cuda.is_available():
        assert pick_device("auto") == CPU
        with pytest.raises(InputError, match="no CUDA device"):
            pick_device("cuda")
