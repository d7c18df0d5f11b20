"""Estimates with bootstrap intervals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A statistic with its 95 % interval; ``Estimate(**row)`` reads what `to_json` wrote."""

    value: float
    low: float
    high: float

    def __format__(self, spec: str) -> str:
        """Return ``0.909 [0.896, 0.923]``, or each number as ``spec`` says."""
        value, low, high = (format(x, spec or ".3f") for x in (self.value, self.low, self.high))
        return f"{value} [{low}, {high}]"

    def __str__(self) -> str:
        return format(self)

    def to_json(self) -> dict[str, float]:
        """Return ``{"value", "low", "high"}``, rounded to four decimals."""
        return {name: round(float(number), 4) for name, number in vars(self).items()}


def bootstrap(
    statistic: Callable[[np.ndarray], float],
    count: int,
    groups: Sequence[object] | None = None,
    samples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Estimate a statistic with its 95 % percentile bootstrap interval (Efron 1979).

    Args:
        statistic: Takes indices of the drawn examples and returns the value; NaN where a draw
            does not define it, which the interval leaves out.
        count: Number of examples.
        groups: The group of each example, ``(count,)``. Whole groups are drawn with replacement
            then, because examples of one group (photos of one source) are not independent (Field
            & Welsh, JRSS B 2007). Without it each example is drawn by itself.
        samples: Number of draws.
        seed: Seed of the draws.
    """
    chance = np.random.default_rng(seed)
    if groups is None:
        draws = (chance.integers(0, count, count) for _ in range(samples))
    else:
        _, member_of = np.unique(np.asarray(groups, str), return_inverse=True)
        members = [np.flatnonzero(member_of == group) for group in range(member_of.max() + 1)]
        draws = (
            np.concatenate([members[i] for i in chance.integers(0, len(members), len(members))])
            for _ in range(samples)
        )
    low, high = np.nanpercentile([statistic(drawn) for drawn in draws], [2.5, 97.5])
    return Estimate(float(statistic(np.arange(count))), float(low), float(high))


def estimates(
    statistics: Mapping[str, Callable[[np.ndarray], float]],
    count: int,
    groups: Sequence[object] | None = None,
) -> dict[str, dict[str, float]]:
    """Return several statistics of the same examples as JSON, see `bootstrap`."""
    return {name: bootstrap(s, count, groups).to_json() for name, s in statistics.items()}
