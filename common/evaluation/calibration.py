"""Softmax temperature, chosen on validation data."""

import numpy as np

from common.numeric import softmax


def negative_log_likelihood(logits: np.ndarray, targets: np.ndarray, temperature: float) -> float:
    """Mean negative log-likelihood in nats of ``(N, C)`` logits for ``(N,)`` class indices."""
    chosen = softmax(logits, temperature)[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """The softmax temperature with the best likelihood (Guo et al. 2017), by grid search."""
    grid = np.geomspace(0.25, 4, 161)
    return float(min(grid, key=lambda t: negative_log_likelihood(logits, targets, t)))
