"""The partial-label loss against its definition."""

import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot

from common.training.losses import partial_label_loss

LOGITS = torch.tensor([[2.0, 0.0, -1.0, 0.5], [0.1, 0.2, 0.3, 0.4], [3.0, -3.0, 1.0, 1.0]])
TARGETS = torch.tensor([0, 3, 2])


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_one_label_is_cross_entropy(smoothing):
    allowed = one_hot(TARGETS, 4).bool()
    expected = cross_entropy(LOGITS, TARGETS, label_smoothing=smoothing)
    assert partial_label_loss(LOGITS, allowed, smoothing) == pytest.approx(expected.item())


def test_several_labels_add_their_probabilities():
    allowed = torch.tensor([[True, False, True, False]])
    expected = -LOGITS[:1].softmax(dim=1)[0, [0, 2]].sum().log()
    assert partial_label_loss(LOGITS[:1], allowed) == pytest.approx(expected.item())


def test_rows_without_a_label_do_not_count():
    allowed = one_hot(TARGETS, 4).bool()
    allowed[1] = False
    expected = cross_entropy(LOGITS[[0, 2]], TARGETS[[0, 2]])
    logits = LOGITS.clone().requires_grad_()
    loss = partial_label_loss(logits, allowed)
    loss.backward()
    assert loss.item() == pytest.approx(expected.item())
    assert torch.isfinite(logits.grad).all() and not logits.grad[1].any()


def test_everything_allowed_teaches_nothing():
    logits = LOGITS.clone().requires_grad_()
    partial_label_loss(logits, torch.ones(3, 4, dtype=torch.bool)).backward()
    assert logits.grad.abs().max() < 1e-6


def test_weights():
    allowed = one_hot(TARGETS, 4).bool()
    weights = torch.tensor([1.0, 0.0, 3.0])
    losses = cross_entropy(LOGITS, TARGETS, reduction="none")
    expected = (losses[0] + 3 * losses[2]) / 4
    assert partial_label_loss(LOGITS, allowed, weights=weights) == pytest.approx(expected.item())
