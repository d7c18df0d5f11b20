"""Intervals against the same draws made by hand, and temperature where its best value is known."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from common.evaluation.bootstrap import Estimate, bootstrap, estimates
from common.evaluation.calibration import fit_temperature, negative_log_likelihood
from common.evaluation.metrics import auroc, f1, reliability, separation

VALUES = np.random.default_rng(1).normal(5, 2, 40)


def test_an_interval_holds_the_middle_95_percent_of_1000_draws():
    chance = np.random.default_rng(0)
    means = sorted(VALUES[chance.integers(0, 40, 40)].mean() for _ in range(1000))
    found = bootstrap(lambda drawn: VALUES[drawn].mean(), 40)
    assert found == Estimate(
        pytest.approx(VALUES.mean()),
        pytest.approx(np.percentile(means, 2.5)),
        pytest.approx(np.percentile(means, 97.5)),
    )
    assert sum(found.low <= mean <= found.high for mean in means) == 950
    with pytest.raises(FrozenInstanceError):
        found.low = 0.0


def test_whole_groups_are_drawn():
    values, groups = np.array([1.0, 1.0, 1.0, 5.0]), ["a", "a", "a", "b"]
    drawn = []
    found = bootstrap(lambda i: drawn.append(sorted(i)) or values[i].mean(), 4, groups)
    seen = {tuple(i) for i in drawn[:-1]}
    assert seen == {(0, 0, 1, 1, 2, 2), (0, 1, 2, 3), (3, 3)}
    assert drawn[-1] == [0, 1, 2, 3] and len(drawn) == 1001  # the value is that of all
    assert (found.value, found.low, found.high) == (2.0, 1.0, 5.0)
    assert bootstrap(lambda i: values[i].mean(), 4, range(4)) == bootstrap(
        lambda i: values[i].mean(), 4
    )


def test_draws_without_a_value_are_left_out():
    """Half of the draws from two examples hold both."""

    def both(drawn):
        return float("nan") if len({*drawn}) < 2 else 3.0

    assert bootstrap(both, 2) == Estimate(3.0, 3.0, 3.0)


def test_samples_and_seed():
    def interval(**options):
        drawn = []
        found = bootstrap(lambda i: drawn.append(1) or VALUES[i].mean(), 40, **options)
        return len(drawn), found

    assert interval(samples=20)[0] == 21
    assert interval(seed=0) == interval() != interval(seed=1)


def test_several_statistics_of_the_same_examples():
    groups = [i // 4 for i in range(40)]
    statistics = {"mean": lambda i: VALUES[i].mean(), "top": lambda i: VALUES[i].max()}
    assert estimates(statistics, 40, groups) == {
        name: bootstrap(statistic, 40, groups).to_json() for name, statistic in statistics.items()
    }


@pytest.mark.filterwarnings("error")  # of an area without positives or negatives
@pytest.mark.parametrize("groups", [None, [*"abacabcabc"]])
def test_how_well_a_score_separates(groups):
    chance = np.random.default_rng(2)
    known, unknown = chance.normal(1, 1, 4), chance.normal(0, 1, 6)
    scores = [*known, *unknown]

    def area(drawn):
        both = [[scores[i] for i in drawn if (i < 4) == kind] for kind in (True, False)]
        return auroc(*map(np.array, both)) if all(both) else float("nan")

    found = separation(known, unknown, groups)
    assert found["auroc"] == bootstrap(area, 10, groups, samples=200).to_json()
    assert found["auroc"]["value"] == pytest.approx(
        np.mean([k > u for k in known for u in unknown]), abs=1e-4
    )


def test_f1_of_all_that_was_to_be_found():
    assert f1(np.array([1, 2, 2])) == 0.5


def test_confidence_against_accuracy():
    confidence = np.array([0.55, 0.5912, 1.0, 0.96, 0.9012, 0.95])  # times 15: 8, 8, 15, 14, 13, 14
    probabilities = np.stack([1 - confidence, confidence], axis=1)
    assert reliability(probabilities, np.array([1, 0, 1, 1, 0, 0])) == [
        {"photos": 2, "confidence": 0.5706, "accuracy": 0.5},
        {"photos": 1, "confidence": 0.9012, "accuracy": 0.0},
        {"photos": 3, "confidence": 0.97, "accuracy": 0.6667},
    ]
    (row,) = reliability(np.full((1, 2), [0.56789, 0.43211]), np.array([0]))
    assert row == {"photos": 1, "confidence": 0.5679, "accuracy": 1.0}


@pytest.mark.parametrize(
    ("probabilities", "targets", "temperature", "expected"),
    [
        ([[0.25, 0.75]], [0], 1.0, np.log(4)),
        ([[0.25, 0.75]], [1], 1.0, np.log(4 / 3)),
        ([[0.25, 0.75], [0.5, 0.5]], [0, 1], 1.0, np.log(8) / 2),
        ([[0.1, 0.9]], [0], 2.0, np.log(4)),  # roots: 1 to 3
        ([[0.0, 1.0]], [0], 1.0, -np.log(1e-12)),  # at least 1e-12
        (np.full((5, 4), 0.25), [0, 1, 2, 3, 0], 1.0, np.log(4)),
    ],
)
def test_likelihood(probabilities, targets, temperature, expected):
    logits = np.log(np.maximum(probabilities, 1e-30))
    found = negative_log_likelihood(logits, np.array(targets), temperature)
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("odds", "right", "expected"),
    [  # two logits, the first larger by log(odds); how many of four times it is right
        (3, 3, 1.0),
        (9, 3, 2.0),
        (81, 3, 4.0),
        (81 * 9, 3, 4.0),  # the largest that is tried
        (3**0.5, 3, 0.5),
        (1.5, 4, 0.25),  # the smallest
        (9 * 3 ** (2 ** (1 / 40) * 2 - 2), 3, 2 * 2 ** (1 / 40)),  # 40 steps for a factor of 2
    ],
)
def test_temperature(odds, right, expected):
    logits = np.tile([np.log(odds), 0.0], (4, 1))
    targets = np.array([0] * right + [1] * (4 - right))
    assert fit_temperature(logits, targets) == pytest.approx(expected, rel=1e-6)
