"""Bootstrap intervals."""

from collections.abc import Callable

import numpy as np


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
