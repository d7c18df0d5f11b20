"""Softmax and its logarithm, on values worked out by hand."""

import numpy as np
import pytest

from common.numeric import log_sum_exp, softmax

LOGITS = np.log([[1.0, 2.0, 5.0], [3.0, 3.0, 4.0]])


@pytest.mark.parametrize(
    ("logits", "temperature", "expected"),
    [
        (LOGITS, 1.0, [[0.125, 0.25, 0.625], [0.3, 0.3, 0.4]]),
        (LOGITS[0], 1.0, [0.125, 0.25, 0.625]),
        (LOGITS[:, None], 1.0, [[[0.125, 0.25, 0.625]], [[0.3, 0.3, 0.4]]]),
        (np.log([4.0, 9.0]), 2.0, [0.4, 0.6]),  # square roots
        (np.log([4.0, 9.0]), 0.5, [16 / 97, 81 / 97]),  # squares
        ([1e4, 0.0], 1.0, [1.0, 0.0]),
        ([-1e4, -1e4], 1.0, [0.5, 0.5]),
        (np.zeros((2, 4)), 3.0, np.full((2, 4), 0.25)),
    ],
)
def test_softmax(logits, temperature, expected):
    found = softmax(logits, temperature)
    assert found.dtype == np.float32
    assert found == pytest.approx(np.array(expected), abs=1e-6)


def test_the_temperature_is_one_by_default():
    assert softmax(LOGITS).tolist() == softmax(LOGITS, 1.0).tolist()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (LOGITS[0], np.log(8)),
        (LOGITS, np.log([8, 10])),
        (LOGITS[:, None], np.log([[8], [10]])),
        (np.array([1e4, 1e4]), 1e4 + np.log(2)),
        (np.array([-1e4, -np.inf]), -1e4),
    ],
)
def test_log_sum_exp(values, expected):
    found = log_sum_exp(values)
    assert found.shape == np.shape(expected)
    assert found == pytest.approx(np.array(expected))
