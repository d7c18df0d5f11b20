"""The figures that describe a classifier, from logits and labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import pyplot

from classifier.config import ModelConfig
from classifier.detectors import detectors_for, in_distribution_score, is_known
from common.evaluation.bootstrap import bootstrap_interval
from common.evaluation.metrics import (
    _class_rows,
    _rounded,
    expected_calibration_error,
    macro_accuracy,
    reliability,
    separation,
)
from common.numeric import softmax


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
        called = is_known(logits, config)
        interval = bootstrap_interval(lambda drawn: called[drawn].mean(), len(called))
        return {name: round(float(called.mean()), 4), f"{name}_interval": _rounded(interval)}

    result = {"detector": config.detector, **called_known("known_called_known", known)}
    for group, logits in groups.items():
        row = {"photos": len(logits), **called_known("called_known", logits)}
        for detector in detectors_for(config):
            scores = (in_distribution_score(part, config, detector) for part in (known, logits))
            row[detector] = separation(*scores)
        result[group] = row
    return result


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


def as_text(figures: dict[str, Any]) -> str:
    """The report as a table for the terminal."""
    lines = [f"{figures['photos']} photos"]
    for name in ("accuracy", "macro_accuracy", "calibration_error"):
        low, high = figures[name + "_interval"]
        lines.append(f"{name:18} {figures[name]:.3f}  [{low:.3f}, {high:.3f}]")
    lines += ["", f"{'class':18} precision recall     F1  photos"]
    for name, row in figures["classes"].items():
        lines.append(
            f"{name:18} {row['precision']:9.3f} {row['recall']:6.3f} {row['f1']:6.3f}"
            f" {row['photos']:7}"
        )
    lines += ["", "most frequent confusions (true, predicted, photos)"]
    for row in figures["confusions"]:
        lines.append(f"{row['true']:18} {row['predicted']:18} {row['photos']:3}")
    unknown = figures.get("unknown", {})
    if unknown:
        lines += ["", f"{'unknown photos':18} photos  called known, AUROC of {unknown['detector']}"]
        lines.append(
            f"{'known animals':18} {figures['photos']:6}  {unknown['known_called_known']:.3f}"
        )
    for name, row in unknown.items():
        if isinstance(row, dict):
            area = row[unknown["detector"]]["auroc"]
            lines.append(f"{name:18} {row['photos']:6}  {row['called_known']:.3f}  {area:.3f}")
    return "\n".join(lines)


def save_confusion(matrix: Sequence[Sequence[int]], classes: Sequence[str], path: Path) -> None:
    """Draw the confusion matrix, each row as shares of its class."""
    matplotlib.use("Agg")

    counts = np.array(matrix, float)
    size = max(4, len(classes) * 0.22)
    figure, axes = pyplot.subplots(figsize=(size, size), layout="constrained")
    axes.imshow(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), cmap="Blues")
    names = [name.replace("_", " ") for name in classes]
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="predicted", ylabel="true")
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def save_reliability(bins: Sequence[dict[str, float]], path: Path) -> None:
    """Draw accuracy against confidence; the area of a dot is its share of the photos."""
    matplotlib.use("Agg")

    total = sum(row["photos"] for row in bins)
    figure, axes = pyplot.subplots(figsize=(3.6, 3.6), layout="constrained")
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
    axes.scatter(
        [row["confidence"] for row in bins],
        [row["accuracy"] for row in bins],
        [20 + 400 * row["photos"] / total for row in bins],
    )
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1.02), ylim=(0, 1.02))
    figure.savefig(path, dpi=80)
    pyplot.close(figure)
