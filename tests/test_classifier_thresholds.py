"""Detectors and thresholds, on values worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import model_config

from classifier.calibration import calibrate, claim_threshold
from classifier.detectors import DETECTORS, in_distribution_score, is_known
from matching.taxonomy import NOT_ANIMAL, OTHER_ANIMAL

CONFIG = model_config(["cow", OTHER_ANIMAL, "lion", NOT_ANIMAL])
LOGITS = np.log([3.0, 2.0, 5.0, 10.0])
SCORES = {"max_softmax": 0.25, "energy": np.log(8), "odds": np.log(8 / 13)}  # 1 for nothing at all


@pytest.mark.parametrize("detector", SCORES)
@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
def test_detectors_over_the_last_axis(detector, shape):
    assert list(SCORES) == list(DETECTORS)
    logits = np.broadcast_to(LOGITS, (*shape, 4))
    found = in_distribution_score(logits, CONFIG, detector)
    assert np.shape(found) == shape
    assert found == pytest.approx(np.full(shape, SCORES[detector]), abs=1e-6)


def test_the_models_own_detector_and_temperature():
    config = replace(CONFIG, detector="energy", temperature=2.0)
    assert in_distribution_score(np.log([9.0, 1, 16, 1]), config) == pytest.approx(np.log(7))


def test_a_photo_is_known_from_the_threshold_on():
    logits = np.array([[-9.0, 0, value, 0] for value in (0.99, 1.0, 1.01)])
    scores = in_distribution_score(logits, replace(CONFIG, detector="energy"))
    config = replace(CONFIG, detector="energy", known_threshold=scores[1])
    assert is_known(logits, config).tolist() == [False, True, True]
    assert is_known(logits, replace(config, known_threshold=None)).all()


GRID = np.linspace(0.05, 0.95, 91)


@pytest.mark.parametrize(
    ("rows", "targets", "expected"),
    [
        ([[1.0, 0.0]], [0], 0.5),  # all thresholds from 0.05 to 0.95 are right
        ([[0.605, 0.305]], [0], 0.46),  # 0.31 to 0.60
        ([[0.305, 0.605]], [1], 0.46),
        ([[0.3002, 0.2998]], [0], 0.3),
        ([[0.06, 0.04]], [0], 0.06),  # 0.05 and 0.06
        ([[0.96, 0.94]], [0], 0.95),
        ([[GRID[25], GRID[25]]], [0], 0.5),  # a claim of that probability is believed, true or not
        ([[GRID[26], GRID[25]]], [0], 0.31),
        # one true claim as high as the likely false ones counts as two of these
        ([[0.4, 0.205, 0.0], [0.3, 0.205, 0.0]], [0, 0], 0.26),
    ],
)
def test_the_threshold_that_judges_most_claims_rightly(rows, targets, expected):
    probabilities = np.array(rows)
    named = np.ones(probabilities.shape[1], bool)
    assert claim_threshold(probabilities, np.array(targets), named) == expected


def test_calibration_by_hand():
    """3 to 1 where 3 of 4 are right, but for a temperature that is one step from 1."""
    step = 2 ** (1 / 40)
    logits = np.tile([step * np.log(3), -50.0, 0.0, -50.0], (400, 1))
    logits += 0.01 * np.arange(400)[:, None]  # the same probabilities, other energies
    targets = np.array([0, 0, 0, 2] * 100)
    found = calibrate(CONFIG, logits, targets, np.empty((0, 4)))
    assert found.temperature == 1.0175  # 1.01748
    odds = np.exp(step / 1.0175 * np.log(3))
    expected = np.log(odds + 1) + 0.01 * 0.03 * 399 / 1.0175  # 3 % are below it
    assert expected == pytest.approx(1.503919, abs=1e-6)
    assert found.known_threshold == 1.5039
    assert found.detector == "energy"
