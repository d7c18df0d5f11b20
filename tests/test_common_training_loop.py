"""The training loop: it learns, stops early, averages, and resumes as if nothing had happened."""

import pytest
import torch
from torch import nn

from common.config import TrainConfig
from common.errors import InputError
from common.training.loop import fit, pick_device

CPU = torch.device("cpu")


class Interrupted(Exception):
    """Stands for a kill in the middle of a run."""


def run(folder, resume=False, break_at=None, scores=None, **settings):
    """Fit a line with dropout (so that the seed matters) and return its weights."""
    config = TrainConfig(
        **{"epochs": 4, "learning_rate": 0.05, "head_learning_rate": 0.05, "patience": 9} | settings
    )
    torch.manual_seed(0)
    model = nn.Sequential(nn.Dropout(0.2), nn.Linear(3, 1))
    inputs = torch.randn(64, 3)
    batches = [(part, part.sum(dim=1, keepdim=True)) for part in inputs.split(8)]
    calls = []

    def loss(model, batch):
        return nn.functional.mse_loss(model(batch[0]).float(), batch[1])

    def score(model):
        calls.append(1)
        if len(calls) == break_at:
            raise Interrupted
        with torch.no_grad():
            value = -sum(loss(model, batch) for batch in batches).numpy()[()]  # no plain float
        return {"score": scores[len(calls) - 1] if scores else value}

    groups = [{"params": list(model.parameters()), "lr": config.learning_rate}]
    fit(model, groups, batches, loss, score, config, folder, CPU, resume)
    return {k: v.clone() for k, v in model.state_dict().items()}, -score(model)["score"]


def test_it_learns(tmp_path):
    _, error = run(tmp_path, epochs=30, average=0.9, precision="fp32")
    assert error / 8 < 0.2  # 3.0 is the variance of the target


def test_a_resumed_run_equals_an_undisturbed_one(tmp_path):
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    expected, _ = run(tmp_path / "a")
    with pytest.raises(Interrupted):
        run(tmp_path / "b", break_at=3)
    found, _ = run(tmp_path / "b", resume=True)
    assert all(torch.equal(expected[k], found[k]) for k in expected)
    assert len((tmp_path / "b/log.csv").read_text().splitlines()) == 5


def test_it_stops_when_the_score_no_longer_rises(tmp_path, capsys):
    run(tmp_path, epochs=9, patience=2, scores=[0.1, 0.5, 0.4, 0.5, 0.9, 0.9])
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 1 + 4
    assert "score has not risen for 2 epochs" in capsys.readouterr().err


def test_the_best_epoch_is_kept(tmp_path):
    from safetensors.torch import load_file

    best, _ = run(tmp_path, epochs=3, scores=[0.9, 0.1, 0.2, 0.0])
    saved = load_file(tmp_path / "best.safetensors")
    assert all(torch.equal(best[k], saved[k]) for k in saved)
    last = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["model"]
    assert not torch.equal(last["1.weight"], saved["1.weight"])


def test_resuming_another_model(tmp_path):
    run(tmp_path, epochs=1)
    other = nn.Linear(5, 1)
    with pytest.raises(InputError, match="is of another model"):
        fit(
            *(other, [{"params": list(other.parameters())}], [0], None, None),
            *(TrainConfig(), tmp_path, CPU, True),
        )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs must be above 0, not 0"),
        ({"learning_rate": -1.0}, "learning_rate must be above 0, not -1.0"),
        ({"warmup": 1.5}, r"warmup must be in \[0, 1\), not 1.5"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(InputError, match=message):
        TrainConfig(**settings)


def test_devices():
    assert pick_device("cpu") == CPU
    if not torch.cuda.is_available():
        assert pick_device("auto") == CPU
        with pytest.raises(InputError, match="no CUDA device"):
            pick_device("cuda")
