"""Scores that tell photos of known animals from all others."""

from collections.abc import Callable

import numpy as np

from classifier.config import ModelConfig
from common.numeric import log_sum_exp, softmax
from matching.taxonomy import UNNAMED


def max_softmax(logits: np.ndarray, named: np.ndarray) -> np.ndarray:
    """Probability of the best animal (Hendrycks & Gimpel, ICLR 2017)."""
    return softmax(logits)[..., named].max(axis=-1)


def energy(logits: np.ndarray, named: np.ndarray) -> np.ndarray:
    """Negative free energy of the animals (Liu et al., NeurIPS 2020)."""
    return log_sum_exp(logits[..., named])


def odds(logits: np.ndarray, named: np.ndarray) -> np.ndarray:
    """Log odds of the animals against the classes for all else (Hendrycks et al., ICLR 2019).

    All else has a logit of 0 besides, no evidence for anything: photos of things that training had
    nothing like look like no class.
    """
    return log_sum_exp(logits[..., named]) - np.logaddexp(log_sum_exp(logits[..., ~named]), 0)


DETECTORS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "max_softmax": max_softmax,
    "energy": energy,
    "odds": odds,
}


def named_classes(config: ModelConfig) -> np.ndarray:
    """Which classes name an animal, ``(C,)`` bool."""
    return np.array([name not in UNNAMED for name in config.classes])


def in_distribution_score(
    logits: np.ndarray, config: ModelConfig, detector: str | None = None
) -> np.ndarray:
    """How sure it is that photos show one of the animals that the classifier names.

    Logits ``(..., C)`` to ``(...)``, higher for photos like those of the known animals, by one of
    `DETECTORS`, the model's own if none is named.
    """
    score = DETECTORS[detector or config.detector]
    return score(np.asarray(logits, np.float64) / config.temperature, named_classes(config))


def is_known(logits: np.ndarray, config: ModelConfig) -> np.ndarray:
    """Tell which photos show one of the animals, ``(...)`` bool, from logits ``(..., C)``."""
    threshold = -np.inf if config.known_threshold is None else config.known_threshold
    return in_distribution_score(logits, config) >= threshold


def detectors_for(config: ModelConfig) -> list[str]:
    """The detectors that a model can use: `odds` needs a class for all else."""
    return [name for name in DETECTORS if name != "odds" or not named_classes(config).all()]
