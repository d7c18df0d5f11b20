"""Interpolation of weights: the best mixture stays, and how it was chosen is told."""

import math

import pytest
import torch

from common.training.interpolate import interpolate


def tuned():
    """A model with weight 8, to be mixed with one that has weight 0."""
    model, start = torch.nn.BatchNorm1d(1), torch.nn.BatchNorm1d(1)
    model.weight.data.fill_(8.0)
    start.weight.data.fill_(0.0)
    return model, start.state_dict()


@pytest.mark.parametrize(
    ("scores", "share"),
    [
        ({0: 0.1, 2: 0.2, 4: 0.3, 6: 0.9, 8: 0.8}, 0.75),
        ({0: 0.5, 2: 0.5, 4: 0.5, 6: 0.5, 8: 0.5}, 0.0),  # a tie: what was there before
        ({0: 0.1, 2: 0.2, 4: 0.9, 6: 0.9, 8: 0.9}, 0.5),
        ({0: math.nan, 2: 0.2, 4: math.nan, 6: 0.3, 8: math.nan}, 0.75),
        ({0: math.nan, 2: math.nan, 4: math.nan, 6: math.nan, 8: math.nan}, 0.0),
        ({0: 0.1, 2: 0.2, 4: 0.3, 6: 0.4, 8: 0.9}, 1.0),
    ],
)
def test_the_best_mixture_stays(scores, share):
    model, start = tuned()
    chosen = interpolate(model, start, lambda m: {"score": scores[round(m.weight.item())]})
    assert model.weight.item() == 8 * share
    assert chosen["share"] == share
    assert list(chosen["scores"]) == ["0.00", "0.25", "0.50", "0.75", "1.00"]
    assert chosen["scores"]["0.75"] == {"score": scores[6]}
    assert start["weight"].item() == 0.0 and model.num_batches_tracked.dtype == torch.int64


def test_the_mean_of_the_scores_decides():
    model, start = tuned()
    scores = {8: -99.0}
    interpolate(
        model, start, lambda m: {"up": m.weight.item(), "down": scores.get(m.weight.item(), 0.0)}
    )
    assert model.weight.item() == 6.0
