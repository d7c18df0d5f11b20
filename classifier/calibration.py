"""What turns logits into answers: temperature and thresholds, all chosen on validation data."""

from dataclasses import replace

import numpy as np

from classifier.config import ModelConfig
from common.numeric import softmax

KNOWN_SHARE = 0.95  # of validation photos of known classes that must be called known


def negative_log_likelihood(logits: np.ndarray, targets: np.ndarray, temperature: float) -> float:
    """Mean negative log-likelihood in nats of ``(N, C)`` logits for ``(N,)`` class indices."""
    chosen = softmax(logits, temperature)[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """The softmax temperature with the best likelihood (Guo et al. 2017), by grid search."""
    grid = np.geomspace(0.25, 4, 161)
    return float(min(grid, key=lambda t: negative_log_likelihood(logits, targets, t)))


def energy_score(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """How familiar a photo looks: the negative free energy (Liu et al., NeurIPS 2020).

    Args:
        logits: ``(N, C)``.
        temperature: The model's softmax temperature.

    Returns:
        ``(N,)``, higher for photos like those of training.
    """
    scaled = np.asarray(logits, np.float64) / temperature
    top = scaled.max(axis=-1, keepdims=True)
    return temperature * (top[..., 0] + np.log(np.exp(scaled - top).sum(axis=-1)))


def known_threshold(scores: np.ndarray) -> float:
    """The energy score that `KNOWN_SHARE` of the photos of known classes reach."""
    return float(np.quantile(scores, 1 - KNOWN_SHARE))


def claim_threshold(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """The probability from which a claim is believed.

    Half of the claims are true and name the photo's class. Of the false ones half name the most
    probable other class, as a mistaken observer would, and half any other class. The threshold
    judges most of them rightly; between equals the middle one is taken.

    Args:
        probabilities: ``(N, C)``.
        targets: ``(N,)`` class indices.
    """
    own = np.zeros(probabilities.shape, bool)
    own[np.arange(len(targets)), targets] = True
    true = probabilities[own]
    false = probabilities[~own].reshape(len(targets), -1)
    grid = np.linspace(0.05, 0.95, 91)
    right = np.array(
        [2 * (true >= t).mean() + (false.max(axis=1) < t).mean() + (false < t).mean() for t in grid]
    )
    best = grid[right >= right.max() - 1e-9]
    return float(best[len(best) // 2].round(2))


def calibrated(config: ModelConfig, logits: np.ndarray, targets: np.ndarray) -> ModelConfig:
    """The configuration with temperature and thresholds chosen on validation photos.

    Args:
        config: Of the model.
        logits: ``(N, C)``.
        targets: ``(N,)`` class indices.
    """
    temperature = fit_temperature(logits, targets)
    return replace(
        config,
        temperature=round(temperature, 4),
        known_threshold=round(known_threshold(energy_score(logits, temperature)), 4),
        claim_threshold=claim_threshold(softmax(logits, temperature), targets),
    )
