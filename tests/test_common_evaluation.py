"""Metrics, estimates and reports against values that are worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from common.evaluation.bootstrap import Estimate, bootstrap, estimates
from common.evaluation.metrics import (
    auroc,
    class_rows,
    expected_calibration_error,
    f1,
    fpr95,
    macro_accuracy,
    reliability,
    separation,
)
from common.evaluation.tables import as_text


@pytest.mark.parametrize(
    ("positive", "negative", "expected"),
    [
        ([2, 3], [0, 1], 1.0),
        ([0, 1], [2, 3], 0.0),
        ([0.8, 0.6, 0.4], [0.6, 0.2], 4.5 / 6),  # a tie counts half
        ([0.6, 0.2], [0.8, 0.6, 0.4], 1.5 / 6),
        ([1, 1], [1, 1, 1], 0.5),
    ],
)
def test_auroc(positive, negative, expected):
    assert auroc(np.array(positive), np.array(negative)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("negative", "expected"),
    [  # of the positives 0 to 100, 95 % score at least 5
        ([4.9, 3, 2, 1], 0.0),
        ([4.9, 5, 6, 9], 0.75),
        ([4.9, 20, 60, 99], 0.75),
        ([101, 102], 1.0),
    ],
)
def test_fpr95(negative, expected):
    assert fpr95(np.arange(101.0), np.array(negative)) == expected


@pytest.mark.parametrize(
    ("right", "targets", "expected"),
    [
        ([1] * 8 + [0, 1], [0] * 8 + [1] * 2, 0.75),  # 0.9 of all photos
        ([1, 0, 0, 0], [0, 5, 5, 5], 0.5),  # classes without photos do not count
        ([0.5, 1, 1, 1], [0, 1, 1, 1], 0.75),  # shares of several runs
    ],
)
def test_macro_accuracy(right, targets, expected):
    assert macro_accuracy(np.array(right), np.array(targets)) == pytest.approx(expected)


def test_macro_accuracy_is_balanced_accuracy():
    chance = np.random.default_rng(0)
    targets, predicted = chance.integers(0, 4, (2, 50)) ** 2
    targets[:30] = predicted[:30] = 0
    expected = balanced_accuracy_score(targets, np.where(predicted == targets, targets, 0))
    found = macro_accuracy(np.where(predicted == targets, targets, 0) == targets, targets)
    assert found == pytest.approx(expected) and 0.1 < found < 0.9


@pytest.mark.parametrize(
    ("counts", "expected"),
    [  # right, found, gold
        ([[1, 2, 4]], 2 / 6),
        ([[1, 4, 2]], 2 / 6),
        ([[1, 2, 4], [1, 1, 1]], 0.5),  # 2 of 3 found, 2 of 5 gold
        ([[[1, 2, 4]], [[1, 1, 1]]], 0.5),
        ([[0, 0, 3]], 0.0),
    ],
)
def test_f1(counts, expected):
    assert f1(np.array(counts)) == pytest.approx(expected)


def test_f1_of_nothing():
    assert np.isnan(f1(np.zeros((2, 3), int)))


def test_precision_recall_and_f1_of_each_class():
    targets, predicted = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 3, 1])
    assert class_rows(targets, predicted, ["cow", "lion", "fox", "owl"]) == {
        "cow": {"precision": 1.0, "recall": 0.6667, "f1": 0.8, "photos": 3},
        "lion": {"precision": 0.3333, "recall": 0.5, "f1": 0.4, "photos": 2},
        "fox": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "photos": 1},
    }


def two_classes(confidence):
    """Probabilities of two classes, the first of which is the answer."""
    return np.stack([confidence, 1 - np.array(confidence)], axis=1)


def test_reliability_has_fifteen_bins():
    found = reliability(two_classes([0.61, 0.66, 0.67, 0.95, 1.0]), np.array([0, 1, 0, 0, 0]))
    assert found == [
        {"photos": 2, "confidence": 0.635, "accuracy": 0.5},  # from 9 to 10 fifteenths
        {"photos": 1, "confidence": 0.67, "accuracy": 1.0},
        {"photos": 2, "confidence": 0.975, "accuracy": 1.0},  # a confidence of 1 is in the last
    ]


@pytest.mark.parametrize(
    ("confidence", "targets", "expected"),
    [
        ([0.65, 0.65, 0.95, 0.95, 0.95], [0, 1, 0, 0, 0], (2 * 0.15 + 3 * 0.05) / 5),
        ([0.75, 0.75, 0.75, 0.75], [0, 0, 0, 1], 0.0),
        ([0.9, 0.9], [1, 1], 0.9),
        ([0.61, 0.67], [0, 1], (0.39 + 0.67) / 2),  # two bins: gaps do not cancel out
    ],
)
def test_expected_calibration_error(confidence, targets, expected):
    bins = reliability(two_classes(confidence), np.array(targets))
    assert expected_calibration_error(bins) == pytest.approx(expected)


def test_separation():
    known, unknown = np.array([0.8, 0.6, 0.4]), np.array([0.6, 0.2])
    found = separation(known, unknown)
    assert (found["auroc"]["value"], found["fpr95"]) == (0.75, 0.5)
    assert 0 <= found["auroc"]["low"] < 0.75 < found["auroc"]["high"] == 1
    one_source = separation(known, unknown, ["a"] * 5)
    assert one_source["auroc"] == {"value": 0.75, "low": 0.75, "high": 0.75}


def test_estimate_as_text_and_json():
    estimate = Estimate(0.90949, 0.8962, -0.00004)
    assert str(estimate) == f"{estimate}" == "0.909 [0.896, -0.000]"
    assert f"{estimate:+.1f}" == "+0.9 [+0.9, -0.0]"
    assert estimate.to_json() == {"value": 0.9095, "low": 0.8962, "high": -0.0}
    assert str(Estimate(**Estimate(0.5, 0.25, 1).to_json())) == "0.500 [0.250, 1.000]"


def test_the_interval_of_a_mean_has_95_percent():
    values = np.random.default_rng(0).normal(5, 2, 400)
    found = bootstrap(lambda drawn: values[drawn].mean(), 400, samples=4000)
    error = values.std() / 20
    assert found.value == values.mean()
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)


def test_groups_are_drawn_whole():
    draws = []

    def statistic(drawn):
        draws.append(np.bincount(drawn, minlength=5).tolist())
        return 0.0

    bootstrap(statistic, 5, ["a", "b", "a", "c", "a"], samples=50)
    *resampled, whole = draws
    assert whole == [1] * 5
    assert all(a == b == c and a + d + e == 3 for a, d, b, e, c in resampled)
    assert len({tuple(row) for row in resampled}) > 5


def test_photos_of_one_source_say_less_than_as_many_sources():
    right = np.repeat([0.0, 1.0], 50)
    by_photo = bootstrap(lambda drawn: right[drawn].mean(), 100)
    by_source = bootstrap(lambda drawn: right[drawn].mean(), 100, ["a"] * 50 + ["b"] * 50)
    assert (by_source.low, by_source.value, by_source.high) == (0, 0.5, 1)
    assert 0.35 < by_photo.low < 0.45 and 0.55 < by_photo.high < 0.65


def test_draws_without_a_value_are_left_out():
    found = bootstrap(lambda drawn: 1.0 if drawn.any() else float("nan"), 2)
    assert (found.low, found.high) == (1, 1)


def test_estimates_use_the_groups():
    right = np.array([0.0, 0, 1, 1])
    found = estimates({"share": lambda drawn: right[drawn].mean()}, 4, list("aabb"))
    assert found == {"share": {"value": 0.5, "low": 0.0, "high": 1.0}}


def test_a_report_as_text():
    estimate = Estimate(0.5, 0.25, 0.75).to_json()
    figures = {
        "photos": 4,
        "classes": {"cow": {"f1": 0.25, "photos": 1}},
        "accuracy": estimate,
        "unknown": {"detector": "odds", "sofa": {"auroc": estimate}},
        "confusions": [{"true": "cow", "photos": 2}],
        "restricted": {},
    }
    assert as_text(figures).splitlines() == [
        "photos 4  accuracy 0.500 [0.250, 0.750]",
        "classes cow              f1 0.250  photos 1",
        "unknown                  detector odds",
        "unknown sofa             auroc 0.500 [0.250, 0.750]",
        "confusions 1             true cow  photos 2",
    ]
