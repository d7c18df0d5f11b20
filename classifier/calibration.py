"""What turns logits into answers: temperature, detector, thresholds, chosen on validation data."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from classifier.config import UNNAMED, ModelConfig
from common.numeric import auroc, log_sum_exp, softmax

KNOWN_SHARE = 0.97  # of validation photos of known classes that must be called known


def negative_log_likelihood(logits: np.ndarray, targets: np.ndarray, temperature: float) -> float:
    """Mean negative log-likelihood in nats of ``(N, C)`` logits for ``(N,)`` class indices."""
    chosen = softmax(logits, temperature)[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(chosen, 1e-12)).mean())


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """The softmax temperature with the best likelihood (Guo et al. 2017), by grid search."""
    grid = np.geomspace(0.25, 4, 161)
    return float(min(grid, key=lambda t: negative_log_likelihood(logits, targets, t)))


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


Detector = Callable[[np.ndarray, np.ndarray], np.ndarray]
DETECTORS: dict[str, Detector] = {"max_softmax": max_softmax, "energy": energy, "odds": odds}


def named_classes(config: ModelConfig) -> np.ndarray:
    """Which classes name an animal, ``(C,)`` bool."""
    return np.array([name not in UNNAMED for name in config.classes])


def known_score(logits: np.ndarray, config: ModelConfig, detector: str | None = None) -> np.ndarray:
    """How sure it is that photos show one of the animals that the classifier names.

    Args:
        logits: ``(..., C)``.
        config: Of the model.
        detector: A key of `DETECTORS`; the model's own without it.

    Returns:
        ``(...)``, higher for photos like those of the known animals.
    """
    score = DETECTORS[detector or config.detector]
    return score(np.asarray(logits, np.float64) / config.temperature, named_classes(config))


def detectors_for(config: ModelConfig) -> list[str]:
    """The detectors that a model can use: `odds` needs a class for all else."""
    return [name for name in DETECTORS if name != "odds" or not named_classes(config).all()]


def claim_threshold(probabilities: np.ndarray, targets: np.ndarray, named: np.ndarray) -> float:
    """The probability from which a claim is believed.

    Half of the claims are true and name the photo's class. Of the false ones half name the most
    probable other animal, as a mistaken observer would, and half any other animal. The threshold
    judges most of them rightly; between equals the middle one is taken.

    Args:
        probabilities: ``(N, C)``.
        targets: ``(N,)`` class indices.
        named: ``(C,)`` bool, the classes that claims name.
    """
    own = np.zeros(probabilities.shape, bool)
    own[np.arange(len(targets)), targets] = True
    true = probabilities[own]
    false = probabilities[~own & named].reshape(len(targets), -1)
    grid = np.linspace(0.05, 0.95, 91)
    right = np.array(
        [2 * (true >= t).mean() + (false.max(axis=1) < t).mean() + (false < t).mean() for t in grid]
    )
    best = grid[right >= right.max() - 1e-9]
    return float(best[len(best) // 2].round(2))


def calibrated(
    config: ModelConfig, logits: np.ndarray, targets: np.ndarray, unknown: np.ndarray
) -> ModelConfig:
    """The configuration with temperature, detector and thresholds chosen on validation photos.

    Args:
        config: Of the model.
        logits: Of photos of animals that it names, ``(N, C)``.
        targets: ``(N,)`` class indices.
        unknown: Logits of photos of anything else, ``(M, C)``; without any, energy is the detector.
    """
    named = named_classes(config)
    temperature = round(fit_temperature(logits, targets), 4)
    config = replace(config, temperature=temperature, detector="energy")
    if len(unknown):
        areas = {
            name: auroc(known_score(logits, config, name), known_score(unknown, config, name))
            for name in detectors_for(config)
        }
        config = replace(config, detector=max(areas, key=lambda name: areas[name]))
    threshold = np.quantile(known_score(logits, config), 1 - KNOWN_SHARE)
    return replace(
        config,
        known_threshold=round(float(threshold), 4),
        claim_threshold=claim_threshold(softmax(logits, temperature), targets, named),
    )
