"""Small numerical pieces that inference shares with training and evaluation; numpy only."""

from collections.abc import Callable

import numpy as np


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Softmax over the last axis, ``(..., C)`` to ``(..., C)``.

    Args:
        logits: Scores before normalisation.
        temperature: Divides the logits; above 1 makes the result less sure (Guo et al. 2017).
    """
    scaled = np.asarray(logits, np.float32) / temperature
    scaled = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return scaled / scaled.sum(axis=-1, keepdims=True)


def log_sum_exp(values: np.ndarray) -> np.ndarray:
    """``log(sum(exp(values)))`` over the last axis, without overflow."""
    top = values.max(axis=-1, keepdims=True)
    return np.log(np.exp(values - top).sum(axis=-1)) + top[..., 0]


def auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Area under the ROC curve: how often a positive scores above a negative; ties count half."""
    wins = (positive[:, None] > negative).mean() + 0.5 * (positive[:, None] == negative).mean()
    return float(wins)


def fpr95(positive: np.ndarray, negative: np.ndarray) -> float:
    """Share of negatives accepted where 95 % of positives are (false positive rate at TPR 95 %)."""
    return float((negative >= np.quantile(positive, 0.05)).mean())


def bootstrap_interval(
    statistic: Callable[[np.ndarray], float], count: int, samples: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """95 % percentile bootstrap interval (Efron 1979) of a statistic over ``count`` examples.

    Args:
        statistic: Takes indices of the drawn examples, ``(count,)``, and returns the value.
        count: Number of examples.
        samples: Number of draws with replacement.
        seed: Seed of the draws.
    """
    chance = np.random.default_rng(seed)
    values = [statistic(chance.integers(0, count, count)) for _ in range(samples)]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)
