"""Metrics of classifiers and detectors."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from common.evaluation.bootstrap import bootstrap_interval


def auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Area under the ROC curve: how often a positive scores above a negative; ties count half."""
    wins = (positive[:, None] > negative).mean() + 0.5 * (positive[:, None] == negative).mean()
    return float(wins)


def fpr95(positive: np.ndarray, negative: np.ndarray) -> float:
    """Share of negatives accepted where 95 % of positives are (false positive rate at TPR 95 %)."""
    return float((negative >= np.quantile(positive, 0.05)).mean())


BINS = 15  # of confidence, for the calibration error and the reliability diagram


def macro_accuracy(right: np.ndarray, targets: np.ndarray) -> float:
    """Mean over the classes that occur of the share of their photos that is right.

    Args:
        right: ``(N,)``, bool or a share of several runs.
        targets: ``(N,)`` class indices.
    """
    totals, hits = np.bincount(targets), np.bincount(targets, right)
    return float((hits[totals > 0] / totals[totals > 0]).mean())


def _class_rows(confusion: np.ndarray, classes: Sequence[str]) -> dict[str, dict[str, float]]:
    """Precision, recall and F1 of each class that occurs."""
    rows = {}
    for i, name in enumerate(classes):
        hits, true, found = confusion[i, i], confusion[i].sum(), confusion[:, i].sum()
        if true:
            rows[name] = {
                "precision": round(float(hits / found), 4) if found else 0.0,
                "recall": round(float(hits / true), 4),
                "f1": round(float(2 * hits / (true + found)), 4),
                "photos": int(true),
            }
    return rows


def reliability(probabilities: np.ndarray, targets: np.ndarray) -> list[dict[str, float]]:
    """Confidence against accuracy in `BINS` bins of equal width, without empty ones.

    Args:
        probabilities: ``(N, C)``.
        targets: ``(N,)`` class indices.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        {
            "photos": int((place == b).sum()),
            "confidence": round(float(confidence[place == b].mean()), 4),
            "accuracy": round(float(right[place == b].mean()), 4),
        }
        for b in sorted(set(place))
    ]


def expected_calibration_error(bins: Sequence[dict[str, float]]) -> float:
    """Mean gap between confidence and accuracy over the photos (Guo et al. 2017)."""
    gaps = [row["photos"] * abs(row["accuracy"] - row["confidence"]) for row in bins]
    return float(sum(gaps) / sum(row["photos"] for row in bins))


def separation(known: np.ndarray, unknown: np.ndarray) -> dict[str, Any]:
    """How well a score tells two kinds of photos apart.

    Args:
        known: Scores of known photos, ``(N,)``.
        unknown: Scores of others, ``(M,)``.

    Returns:
        AUROC with its 95 % bootstrap interval, photos of both kinds drawn together, and FPR95.
    """
    count = len(known)

    def area(drawn: np.ndarray) -> float:
        inside = drawn < count
        if inside.all() or not inside.any():
            return float("nan")
        return auroc(known[drawn[inside]], unknown[drawn[~inside] - count])

    return {
        "auroc": round(auroc(known, unknown), 4),
        "auroc_interval": _rounded(bootstrap_interval(area, count + len(unknown), samples=200)),
        "fpr95": round(fpr95(known, unknown), 4),
    }


def _rounded(interval: tuple[float, float]) -> list[float]:
    return [round(value, 4) for value in interval]
