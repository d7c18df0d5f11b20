"""Temperature, detectors and thresholds on logits whose right answer is known."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import model_config

from classifier.calibration import KNOWN_SHARE, calibrate, claim_threshold
from classifier.detectors import DETECTORS, detectors_for, in_distribution_score
from classifier.report import by_source, report, report_restricted, report_unknown
from common.errors import InputError
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


def test_claim_threshold_weighs_true_and_false_claims_alike():
    """Any other weights of true, likely false and other false claims give another threshold."""
    probabilities = np.array(
        [
            [0.03, 0.64, 0.09, 0.24],
            [0.06, 0.53, 0.14, 0.27],
            [0.10, 0.26, 0.30, 0.34],
            [0.38, 0.10, 0.47, 0.05],
            [0.58, 0.39, 0.03, 0.00],
        ]
    )
    named = np.array([True, True, True, False])
    assert claim_threshold(probabilities, np.array([0, 0, 2, 2, 1]), named) == 0.78


def test_report_of_an_answer_restricted_to_some_classes():
    logits = np.array([[3.0, 2, 0, 1], [0, 1, 0, 4], [0, 3, 0, 2], [2, 0, 1, 5]])
    targets = np.array([0, 1, 1, 2])
    whole = report(logits, targets, CONFIG, list("abcd"))
    assert whole["accuracy"]["value"] == 0.5 and whole["macro_accuracy"]["value"] == 0.5
    found = report_restricted(logits, targets, CONFIG, list("aabc"), ["lion", "cow"])
    assert found["photos"] == 3 and found["accuracy"]["value"] == 1
    assert list(found["classes"]) == ["lion", "cow"] and found["classes"]["lion"]["photos"] == 2
    with pytest.raises(InputError, match="--classes: the model has no class unicorn"):
        report_restricted(logits, targets, CONFIG, list("aabc"), ["cow", "unicorn"])


def test_report_of_four_photos():
    logits = np.array([[3.0, 0, 0, 0], [2, 0, 0, 0], [0, 1, 0, 0], [4, 0, 0, 0]])
    found = report(logits, np.array([0, 0, 0, 1]), CONFIG, list("aabb"))
    assert found["accuracy"] == {"value": 0.5, "low": 0.0, "high": 1.0}
    assert found["macro_accuracy"]["value"] == pytest.approx(1 / 3, abs=1e-4)
    assert found["confusion_matrix"] == [[2, 1, 0, 0], [1, 0, 0, 0], [0] * 4, [0] * 4]
    assert found["confusions"] == [
        {"true": "cow", "predicted": "lion", "photos": 1},
        {"true": "lion", "predicted": "cow", "photos": 1},
    ]
    assert by_source(np.repeat([True, False, True], [9, 3, 10]), list("a" * 12 + "b" * 10)) == {
        "a": {"photos": 12, "accuracy": 0.75},
        "b": {"photos": 10, "accuracy": 1.0},
    }


def test_nobody_claims_what_has_no_name():
    probabilities = np.array([[0.4, 0.1, 0.5], [0.1, 0.45, 0.45]])
    threshold = claim_threshold(probabilities, np.array([0, 1]), np.array([True, True, False]))
    assert 0.1 < threshold <= 0.4


def test_unknown_report():
    known = np.array([[3.0, 0, 0, 0], [4.0, 0, 0, 0], [5.0, 0, 0, 0]])
    sofa = np.array([[1.0, 0, 0, 0], [4.0, 0, 0, 0]])
    config = replace(CONFIG, detector="energy", known_threshold=3.5)
    figures = report_unknown(known, {"sofa": sofa}, config)
    assert figures["known_called_known"]["value"] == pytest.approx(2 / 3, abs=1e-4)
    row, detectors = figures["sofa"], figures["sofa"]["detectors"]
    assert (row["photos"], row["called_known"]["value"]) == (2, 0.5)
    assert detectors["energy"]["auroc"]["value"] == detectors["odds"]["auroc"]["value"] == 0.75
    assert detectors["energy"]["fpr95"] == 0.5
    sources = {"known": ["a"] * 3, "sofa": ["a"] * 2}
    figures = report_unknown(known, {"sofa": sofa}, config, sources)
    assert figures["known_called_known"]["low"] == figures["known_called_known"]["high"]
    assert figures["sofa"]["called_known"]["low"] == figures["sofa"]["called_known"]["high"] == 0.5
    assert figures["sofa"]["detectors"]["odds"]["auroc"]["low"] == 0.75


def test_softmax_survives_large_logits():
    assert softmax(np.array([1e4, 0.0])).tolist() == [1.0, 0.0]
    assert softmax(np.zeros((2, 4)), 3.0) == pytest.approx(np.full((2, 4), 0.25))
