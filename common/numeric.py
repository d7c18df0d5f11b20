"""Small numerical pieces that inference shares with training and evaluation; numpy only."""

import numpy as np


def softmax(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Softmax over the last axis, ``(..., C)`` to ``(..., C)``.

    Args:
        logits: Scores before normalisation.
        temperature: Divides the logits; above 1 makes the result less sure (Guo et al. 2017).
    """
    scaled = np.asarray(logits, np.float32) / temperature
    scaled = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return scaled / scaled.sum(axis=-1, keepdims=True)


def log_sum_exp(values: np.ndarray) -> np.ndarray:
    """``log(sum(exp(values)))`` over the last axis, without overflow."""
    top = values.max(axis=-1, keepdims=True)
    return np.log(np.exp(values - top).sum(axis=-1)) + top[..., 0]
