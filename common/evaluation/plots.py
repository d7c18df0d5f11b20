"""Diagrams of an evaluation; needs matplotlib."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure  # without pyplot, which would choose a screen


def save_confusion(matrix: Sequence[Sequence[int]], classes: Sequence[str], path: Path) -> None:
    """Draw the confusion matrix, each row as shares of its class."""
    counts = np.array(matrix, float)
    size = max(4, len(classes) * 0.22)
    figure = Figure((size, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), cmap="Blues")
    names = [name.replace("_", " ") for name in classes]
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="predicted", ylabel="true")
    figure.savefig(path, dpi=80)


def save_reliability(bins: Sequence[dict[str, float]], path: Path) -> None:
    """Draw accuracy against confidence; the area of a dot is its share of the photos."""
    total = sum(row["photos"] for row in bins)
    figure = Figure((3.6, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
    for row in bins:
        axes.scatter(row["confidence"], row["accuracy"], 20 + 400 * row["photos"] / total, "C0")
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1.02), ylim=(0, 1.02))
    figure.savefig(path, dpi=80)
