"""The figures that describe a classifier, from logits and labels; numpy only."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from classifier.calibration import detectors_for, known_score
from classifier.config import ModelConfig
from common.numeric import auroc, bootstrap_interval, fpr95, softmax

BINS = 15  # of confidence, for the calibration error and the reliability diagram


def report(logits: np.ndarray, targets: np.ndarray, config: ModelConfig) -> dict[str, Any]:
    """All figures for photos of known classes.

    Args:
        logits: ``(N, C)``.
        targets: ``(N,)`` class indices.
        config: Names the classes; its temperature calibrates.
    """
    predicted = logits.argmax(axis=1)
    right = predicted == targets

    def macro(drawn: np.ndarray) -> float:
        return macro_accuracy(right[drawn], targets[drawn])

    def accuracy(drawn: np.ndarray) -> float:
        return float(right[drawn].mean())

    probabilities = softmax(logits, config.temperature)

    def calibration(drawn: np.ndarray) -> float:
        return expected_calibration_error(reliability(probabilities[drawn], targets[drawn]))

    figures = {}
    for name, figure in {
        "accuracy": accuracy,
        "macro_accuracy": macro,
        "calibration_error": calibration,
    }.items():
        figures[name] = round(figure(np.arange(len(targets))), 4)
        figures[f"{name}_interval"] = _rounded(bootstrap_interval(figure, len(targets)))
    confusion = np.zeros((len(config.classes),) * 2, int)  # (true, predicted)
    np.add.at(confusion, (targets, predicted), 1)
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:10]
    pairs = [divmod(int(i), len(config.classes)) for i in order if wrong.flat[i]]
    return {
        "photos": len(targets),
        **figures,
        "reliability": reliability(probabilities, targets),
        "classes": _class_rows(confusion, config.classes),
        "confusions": [
            {"true": config.classes[i], "predicted": config.classes[j], "photos": int(wrong[i, j])}
            for i, j in pairs
        ],
        "confusion_matrix": confusion.tolist(),
    }


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


def report_unknown(
    known: np.ndarray, groups: dict[str, np.ndarray], config: ModelConfig
) -> dict[str, Any]:
    """How well each detector tells photos that show none of the animals with a name.

    Args:
        known: Logits of photos of these animals, ``(N, C)``.
        groups: Logits of other photos by what they are, ``(M, C)`` each.
        config: Names the model's own detector, whose threshold is applied.
    """

    def called_known(name: str, logits: np.ndarray) -> dict[str, Any]:
        called = known_score(logits, config) >= config.known_threshold
        interval = bootstrap_interval(lambda drawn: called[drawn].mean(), len(called))
        return {name: round(float(called.mean()), 4), f"{name}_interval": _rounded(interval)}

    result = {"detector": config.detector, **called_known("known_called_known", known)}
    for group, logits in groups.items():
        row = {"photos": len(logits), **called_known("called_known", logits)}
        for detector in detectors_for(config):
            scores = (known_score(part, config, detector) for part in (known, logits))
            row[detector] = separation(*scores)
        result[group] = row
    return result


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


def by_source(
    logits: np.ndarray, targets: np.ndarray, sources: Sequence[str], at_least: int = 10
) -> dict[str, dict[str, float]]:
    """Accuracy for each source of photos, the worst first."""
    right, names = logits.argmax(axis=1) == targets, np.array(sources)
    rows = {
        source: {
            "photos": int((names == source).sum()),
            "accuracy": round(float(right[names == source].mean()), 4),
        }
        for source in sorted(set(sources))
        if (names == source).sum() >= at_least
    }
    return dict(sorted(rows.items(), key=lambda item: item[1]["accuracy"]))


def _rounded(interval: tuple[float, float]) -> list[float]:
    return [round(value, 4) for value in interval]
