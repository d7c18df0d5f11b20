"""Temperature, detectors and thresholds on logits whose right answer is known."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import model_config

from classifier.calibration import KNOWN_SHARE, calibrate, claim_threshold
from classifier.detectors import DETECTORS, detectors_for, in_distribution_score
from classifier.report import report_unknown
from common.evaluation.bootstrap import bootstrap_interval
from common.evaluation.calibration import fit_temperature, negative_log_likelihood
from common.evaluation.metrics import expected_calibration_error, reliability
from common.numeric import softmax
from matching.taxonomy import NOT_ANIMAL, OTHER_ANIMAL


def sampled(count=4000, classes=6, seed=0):
    """Calibrated logits: each target is drawn from the softmax itself."""
    chance = np.random.default_rng(seed)
    logits = chance.normal(0, 2, (count, classes))
    targets = np.array(
        [
            chance.choice(classes, p=p)
            for p in softmax(logits).astype(float)
            / softmax(logits).astype(float).sum(axis=1, keepdims=True)
        ]
    )
    return logits, targets


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_temperature_undoes_a_scale(scale):
    logits, targets = sampled()
    assert fit_temperature(logits * scale, targets) == pytest.approx(scale, rel=0.1)


def test_likelihood_of_a_uniform_guess():
    value = negative_log_likelihood(np.zeros((5, 4)), np.arange(4).repeat(2)[:5], 1.0)
    assert value == pytest.approx(np.log(4))


def test_calibration_error():
    logits, targets = sampled()
    good, sure = (reliability(softmax(logits * scale), targets) for scale in (1, 5))
    assert expected_calibration_error(good) < 0.03
    assert expected_calibration_error(sure) > 0.1
    assert sum(row["photos"] for row in good) == len(targets)
    assert all(0 <= row["accuracy"] <= 1 for row in good)


CONFIG = model_config(["cow", "lion", OTHER_ANIMAL, NOT_ANIMAL])


def test_detectors():
    logits = np.array([[0.0, 0.0, 0.0, 0.0], [1000.0, 0.0, 0.0, 1000.0], [4.0, 4.0, 0.0, 0.0]])
    assert in_distribution_score(logits, CONFIG, "energy") == pytest.approx(
        [np.log(2), 1000, 4 + np.log(2)]
    )
    two_of_three = np.log(2 / 3)  # two animals against two classes and nothing
    assert in_distribution_score(logits, CONFIG, "odds") == pytest.approx(
        [two_of_three, 0, 4 + two_of_three]
    )
    nothing = np.full((1, 4), -9.0)
    assert in_distribution_score(nothing, CONFIG, "odds") < -8
    assert in_distribution_score(logits, CONFIG, "max_softmax")[:2] == pytest.approx([0.25, 0.5])
    warm = replace(CONFIG, temperature=2.0)
    assert in_distribution_score(logits, warm, "energy")[2] == pytest.approx(2 + np.log(2))
    assert detectors_for(CONFIG) == list(DETECTORS)
    assert detectors_for(model_config(["cow", "lion"])) == ["max_softmax", "energy"]


def test_calibration_picks_what_separates_best():
    """Twins share the probability, strangers have large logits: only the odds tell them apart."""
    chance = np.random.default_rng(0)
    targets = chance.integers(0, 2, 400)
    logits = chance.normal(0, 1, (400, 4)) + np.array([6, 6, 0, 0])
    unknown = chance.normal(0, 1, (100, 4)) + np.array([7, 0, 8, 0])
    found = calibrate(CONFIG, logits, targets, unknown)
    assert found.detector == "odds"
    share = (in_distribution_score(logits, found) >= found.known_threshold).mean()
    assert share == pytest.approx(KNOWN_SHARE, abs=0.005)
    assert (in_distribution_score(unknown, found) >= found.known_threshold).mean() < 0.1
    without = calibrate(CONFIG, logits, targets, np.empty((0, 4)))
    assert without.detector == "energy"


def test_claim_threshold_lies_between_true_and_false_claims():
    probabilities = np.array([[0.7, 0.3, 0.0], [0.1, 0.8, 0.1], [0.2, 0.1, 0.7]])
    threshold = claim_threshold(probabilities, np.array([0, 1, 2]), np.array([True] * 3))
    assert 0.3 < threshold <= 0.7


def test_nobody_claims_what_has_no_name():
    probabilities = np.array([[0.4, 0.1, 0.5], [0.1, 0.45, 0.45]])
    threshold = claim_threshold(probabilities, np.array([0, 1]), np.array([True, True, False]))
    assert 0.1 < threshold <= 0.4


def test_unknown_report():
    known = np.array([[3.0, 0, 0, 0], [4.0, 0, 0, 0], [5.0, 0, 0, 0]])
    sofa = np.array([[1.0, 0, 0, 0], [4.0, 0, 0, 0]])
    config = replace(CONFIG, detector="energy", known_threshold=3.5)
    figures = report_unknown(known, {"sofa": sofa}, config)
    assert figures["known_called_known"] == pytest.approx(2 / 3, abs=1e-4)
    row = figures["sofa"]
    assert (row["photos"], row["called_known"]) == (2, 0.5)
    assert row["energy"]["auroc"] == row["odds"]["auroc"] == 0.75
    assert row["energy"]["fpr95"] == 0.5


def test_bootstrap_interval_of_a_mean():
    values = np.random.default_rng(0).normal(5, 2, 400)
    low, high = bootstrap_interval(lambda drawn: values[drawn].mean(), 400)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * 2 / 20, rel=0.15)


def test_softmax_survives_large_logits():
    assert softmax(np.array([1e4, 0.0])).tolist() == [1.0, 0.0]
    assert softmax(np.zeros((2, 4)), 3.0) == pytest.approx(np.full((2, 4), 0.25))
