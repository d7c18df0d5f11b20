"""The classifier's task: loss, learning rates, augmentation and batches with known values."""

import pytest
import torch
from torch import nn

from classifier import task as module
from classifier.data import read_photos
from classifier.task import ClassificationTask
from classifier.training_config import ClassifierTrainingConfig

CPU = torch.device("cpu")


@pytest.fixture
def make(photos, tiny_backbone):
    """Make a task on the tree of colours with these settings."""

    def make(**settings):
        defaults = {
            "encoder": "test_resnet",
            "weights": str(tiny_backbone),
            "size": 32,
            "workers": 0,
            "precision": "fp32",
        }
        config = ClassifierTrainingConfig(**defaults | settings)
        return ClassificationTask(config, read_photos(photos), CPU)

    return make


@pytest.fixture
def batch():
    torch.manual_seed(1)
    return torch.randn(4, 3, 32, 32), torch.eye(3, dtype=torch.bool)[[0, 1, 2, 1]]


@pytest.mark.parametrize(
    ("unfreeze", "expected"),
    [
        ("none", []),
        ("head", [0.02]),
        ("last-stage", [0.02, 0.1]),
        ("last-two-stages", [0.02, 0.1, 0.05]),
        ("all", [0.02, 0.1, 0.05, 0.025, 0.0125, 0.00625]),
    ],
)
def test_each_stage_learns_slower_than_the_one_above_it(make, unfreeze, expected):
    rates = {"learning_rate": 0.1, "head_learning_rate": 0.02, "layer_decay": 0.5}
    task = make(unfreeze=unfreeze, **rates)
    groups = task.param_groups()
    assert [group["lr"] for group in groups] == pytest.approx(expected)
    trained = [id(p) for group in groups for p in group["params"]]
    assert len(trained) == len(set(trained))
    assert {id(p) for p in task.model.parameters() if p.requires_grad} == set(trained)
    if groups:
        assert groups[0]["params"][0] is task.model.fc.weight


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_the_loss_is_smoothed_cross_entropy(make, batch, smoothing):
    task = make(label_smoothing=smoothing, mixup_share=0.0).eval()
    task.model.fc.weight.data.normal_()
    logits = task.model(batch[0])
    expected = nn.functional.cross_entropy(
        logits, torch.tensor([0, 1, 2, 1]), label_smoothing=smoothing
    )
    assert task.loss(batch).item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_mixed_batch_is_charged_by_its_shares(make, batch, monkeypatch):
    task = make(label_smoothing=0.1, mixup_share=1.0).eval()
    task.model.fc.weight.data.normal_()
    partner = torch.tensor([2, 3, 1, 0])
    mixed = batch[0] + 1
    monkeypatch.setattr(module, "mix", lambda images: (mixed, partner, 0.3))
    logits, labels = task.model(mixed), torch.tensor([0, 1, 2, 1])
    own, other = (
        nn.functional.cross_entropy(logits, target, label_smoothing=0.1).item()
        for target in (labels, labels[partner])
    )
    assert task.loss(batch).item() == pytest.approx(0.3 * own + 0.7 * other, rel=1e-5)


@pytest.mark.parametrize(("share", "calls"), [(0.0, 0), (1.0, 20), (0.5, 10)])
def test_the_share_of_batches_that_are_mixed(make, batch, monkeypatch, share, calls):
    task, mixed = make(mixup_share=share), []
    monkeypatch.setattr(module, "mix", lambda x: mixed.append(1) or (x, torch.arange(4), 1.0))
    torch.manual_seed(0)
    for _ in range(20):
        task.loss(batch)
    assert len(mixed) == pytest.approx(calls, abs=4 * (0 < share < 1))


def test_training_photos_are_augmented_anew(make):
    plain = {"trivial_augment": 0.0, "degrade": 0.0, "erase": 0.0}
    dataset = make(**plain).loader().dataset
    first, again = dataset[0][0], dataset[0][0]
    assert first.shape == (3, 32, 32) and not torch.equal(first, again)  # crops differ
    kinds = {
        name: sum(
            type(step).__name__ == name
            for step in make(trivial_augment=0.3, degrade=0.2, erase=0.1).transform(32).transforms
        )
        for name in ("RandomResizedCrop", "RandomHorizontalFlip", "RandomApply", "Degrade")
    }
    assert set(kinds.values()) == {1}
    steps = make(trivial_augment=0.3, degrade=0.2, erase=0.1).transform(32).transforms
    shares = [steps[2].p, steps[3].probability, steps[-1].p]
    assert shares == pytest.approx([0.3, 0.2, 0.1])


def test_batches_are_balanced_as_configured(make, monkeypatch):
    seen = []
    monkeypatch.setattr(module, "train_loader", lambda _, config: seen.append(config))
    make(balance=0.7, source_balance=0.2, batch_size=5).loader()
    (config,) = seen
    assert (config.batch_size, config.balance, config.source_balance) == (5, 0.7, 0.2)


def test_a_fitted_head_tells_the_colours_apart(make):
    task = make()
    task.fit_head()
    assert task.evaluate(task.model) == {"macro_accuracy": 1.0, "accuracy": 1.0}
    assert task.monitor in task.evaluate(task.model)
