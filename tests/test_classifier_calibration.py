"""Temperature, energy and thresholds on logits whose right answer is known."""

import numpy as np
import pytest

from classifier.calibration import (
    claim_threshold,
    energy_score,
    fit_temperature,
    known_threshold,
    negative_log_likelihood,
)
from classifier.evaluate import expected_calibration_error, report_unknown
from common.numeric import bootstrap_interval, softmax


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
    assert expected_calibration_error(softmax(logits), targets) < 0.03
    assert expected_calibration_error(softmax(logits * 5), targets) > 0.1


def test_energy_is_a_soft_maximum():
    assert energy_score(np.array([0.0, 0.0])) == pytest.approx(np.log(2))
    assert energy_score(np.array([[1000.0, 0.0]]))[0] == pytest.approx(1000)
    assert energy_score(np.array([4.0, 4.0]), 2.0) == pytest.approx(4 + 2 * np.log(2))


def test_known_threshold_keeps_the_stated_share():
    scores = np.random.default_rng(0).normal(size=1000)
    assert (scores >= known_threshold(scores)).mean() == pytest.approx(0.95)


def test_claim_threshold_lies_between_true_and_false_claims():
    probabilities = np.array([[0.7, 0.3, 0.0], [0.1, 0.8, 0.1], [0.2, 0.1, 0.7]])
    threshold = claim_threshold(probabilities, np.array([0, 1, 2]))
    assert 0.3 < threshold <= 0.7


def test_unknown_report():
    figures = report_unknown(np.array([3.0, 4.0, 5.0]), {"sofa": np.array([1.0, 4.0])}, 3.5)
    assert figures["known_called_known"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["sofa"] == {"photos": 2, "called_known": 0.5, "auroc": 0.75}


def test_bootstrap_interval_of_a_mean():
    values = np.random.default_rng(0).normal(5, 2, 400)
    low, high = bootstrap_interval(lambda drawn: values[drawn].mean(), 400)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * 2 / 20, rel=0.15)


def test_softmax_survives_large_logits():
    assert softmax(np.array([1e4, 0.0])).tolist() == [1.0, 0.0]
    assert softmax(np.zeros((2, 4)), 3.0) == pytest.approx(np.full((2, 4), 0.25))
