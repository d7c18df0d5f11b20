"""What turns logits into answers: temperature, detector, thresholds, chosen on validation data."""

from dataclasses import replace

import numpy as np

from classifier.config import ModelConfig
from classifier.detectors import detectors_for, in_distribution_score, named_classes
from common.evaluation.calibration import fit_temperature
from common.evaluation.metrics import auroc
from common.numeric import softmax

KNOWN_SHARE = 0.97  # of validation photos of known classes that must be called known


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


def calibrate(
    config: ModelConfig, logits: np.ndarray, targets: np.ndarray, unknown: np.ndarray
) -> ModelConfig:
    """The configuration with temperature, detector and thresholds chosen on validation photos.

    Args:
        config: Of the model.
        logits: Of photos of animals that it names, ``(N, C)``.
        targets: ``(N,)`` class indices.
        unknown: Logits of photos of anything else, ``(M, C)``; without any, energy is the detector.
    """
    temperature = round(fit_temperature(logits, targets), 4)
    config = replace(config, temperature=temperature, detector="energy")
    if len(unknown):

        def area(name: str) -> float:
            return auroc(*(in_distribution_score(x, config, name) for x in (logits, unknown)))

        config = replace(config, detector=max(detectors_for(config), key=area))
    known = float(np.quantile(in_distribution_score(logits, config), 1 - KNOWN_SHARE))
    claim = claim_threshold(softmax(logits, temperature), targets, named_classes(config))
    return replace(config, known_threshold=round(known, 4), claim_threshold=claim)
