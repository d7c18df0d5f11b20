"""Metrics of classifiers and detectors that scikit-learn lacks, or shapes for a report."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from common.evaluation.bootstrap import bootstrap

BINS = 15  # of confidence, for the calibration error and the reliability diagram


def auroc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Return the area under the ROC curve: how often a positive scores above a negative.

    Ties count half.
    """
    truth = np.repeat([1, 0], [len(positive), len(negative)])
    return float(roc_auc_score(truth, np.concatenate([positive, negative])))


def fpr95(positive: np.ndarray, negative: np.ndarray) -> float:
    """Return the share of negatives that are accepted where 95 % of the positives are."""
    return float((negative >= np.quantile(positive, 0.05)).mean())


def macro_accuracy(right: np.ndarray, targets: np.ndarray) -> float:
    """Return the mean over the classes that occur of the share of their photos that is right.

    scikit-learn's balanced accuracy, for shares of several runs too and fast enough to resample.

    Args:
        right: ``(N,)``, bool or a share of several runs.
        targets: ``(N,)`` class indices.
    """
    totals, hits = np.bincount(targets), np.bincount(targets, right)
    return float((hits[totals > 0] / totals[totals > 0]).mean())


def f1(counts: np.ndarray) -> float:
    """Return F1 from counts of right, found and gold items.

    Args:
        counts: ``(..., 3)``, summed over all but the last axis.

    Returns:
        NaN where nothing was found and there was nothing to find.
    """
    right, found, gold = counts.reshape(-1, 3).sum(axis=0)
    return float(2 * right / (found + gold)) if found + gold else float("nan")


def class_rows(
    targets: np.ndarray, predicted: np.ndarray, classes: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return precision, recall, F1 and number of photos of each class that occurs.

    Args:
        targets: ``(N,)`` class indices.
        predicted: ``(N,)`` class indices.
        classes: Names by index.
    """
    scores = precision_recall_fscore_support(
        targets, predicted, labels=range(len(classes)), zero_division=0
    )
    names = ("precision", "recall", "f1")
    return {
        name: {key: round(float(v), 4) for key, v in zip(names, row, strict=True)}
        | {"photos": int(count)}
        for name, *row, count in zip(classes, *scores, strict=True)
        if count
    }


def reliability(probabilities: np.ndarray, targets: np.ndarray) -> list[dict[str, float]]:
    """Return confidence against accuracy in `BINS` bins of equal width, without empty ones.

    From probabilities ``(N, C)`` and class indices ``(N,)``.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    rows = []
    for b in np.unique(place):
        means = {"confidence": confidence[place == b].mean(), "accuracy": right[place == b].mean()}
        rounded = {name: round(float(value), 4) for name, value in means.items()}
        rows.append({"photos": int((place == b).sum()), **rounded})
    return rows


def expected_calibration_error(bins: Sequence[dict[str, float]]) -> float:
    """Return the mean gap between confidence and accuracy over the photos (Guo et al. 2017)."""
    gaps = [row["photos"] * abs(row["accuracy"] - row["confidence"]) for row in bins]
    return float(sum(gaps) / sum(row["photos"] for row in bins))


def separation(
    known: np.ndarray, unknown: np.ndarray, groups: Sequence[object] | None = None
) -> dict[str, Any]:
    """Return AUROC as an estimate, and FPR95, of scores ``(N,)`` of known and ``(M,)`` of others.

    Resampled are photos, or ``groups`` such as their sources, ``(N + M,)``.
    """
    scores, count = np.concatenate([known, unknown]), len(known)

    def area(drawn: np.ndarray) -> float:
        inside = drawn < count
        if inside.all() or not inside.any():
            return float("nan")
        return auroc(scores[drawn[inside]], scores[drawn[~inside]])

    estimate = bootstrap(area, len(scores), groups, samples=200)
    return {"auroc": estimate.to_json(), "fpr95": round(fpr95(known, unknown), 4)}
