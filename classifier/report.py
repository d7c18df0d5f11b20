"""The figures that describe a classifier, from logits and labels."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix

from classifier.config import ModelConfig
from classifier.detectors import detectors_for, in_distribution_score
from classifier.predict import class_columns
from common.evaluation.bootstrap import Estimate, bootstrap
from common.evaluation.metrics import (
    class_rows,
    expected_calibration_error,
    macro_accuracy,
    reliability,
    separation,
)
from common.numeric import softmax

ESTIMATES = ("accuracy", "macro_accuracy", "calibration_error")


def report(
    logits: np.ndarray,
    targets: np.ndarray,
    config: ModelConfig,
    sources: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return all figures for photos of known classes.

    Args:
        logits: ``(N, C)``.
        targets: ``(N,)`` class indices.
        config: Names the classes; its temperature calibrates.
        sources: The source of each photo, which intervals resample; photos without it.
    """
    predicted, probabilities = logits.argmax(axis=1), softmax(logits, config.temperature)
    right = predicted == targets
    statistics: dict[str, Callable[[np.ndarray], float]] = {
        "accuracy": lambda drawn: right[drawn].mean(),
        "macro_accuracy": lambda drawn: macro_accuracy(right[drawn], targets[drawn]),
        "calibration_error": lambda drawn: expected_calibration_error(
            reliability(probabilities[drawn], targets[drawn])
        ),
    }
    confusion = confusion_matrix(targets, predicted, labels=range(len(config.classes)))
    wrong = confusion - np.diag(confusion.diagonal())  # (true, predicted)
    order = np.argsort(-wrong, axis=None, kind="stable")[:10]
    pairs = [divmod(int(i), len(config.classes)) for i in order if wrong.flat[i]]
    return {
        "photos": len(targets),
        **{
            name: bootstrap(statistics[name], len(targets), sources).to_json()
            for name in ESTIMATES
        },
        "reliability": reliability(probabilities, targets),
        "classes": class_rows(targets, predicted, config.classes),
        "confusions": [
            {"true": config.classes[i], "predicted": config.classes[j], "photos": int(wrong[i, j])}
            for i, j in pairs
        ],
        "confusion_matrix": confusion.tolist(),
        "sources": by_source(right, sources) if sources is not None else {},
    }


def report_restricted(
    logits: np.ndarray,
    targets: np.ndarray,
    config: ModelConfig,
    sources: Sequence[str],
    classes: Sequence[str],
) -> dict[str, Any]:
    """Return the same for an answer restricted to some classes, and photos of these.

    Raises:
        InputError: If the model has not all of the classes.
    """
    columns = class_columns(config, classes)
    place = np.full(len(config.classes), -1)
    place[columns] = np.arange(len(columns))
    inside = place[targets] >= 0
    config = replace(config, classes=list(classes))
    return report(
        logits[inside][:, columns], place[targets[inside]], config, np.array(sources)[inside]
    )


def report_majority(
    targets: np.ndarray, training: Sequence[int], sources: Sequence[str]
) -> dict[str, float]:
    """Return the accuracy of always answering the most frequent class of the training photos."""
    right = targets == np.bincount(training).argmax()
    return bootstrap(lambda drawn: right[drawn].mean(), len(targets), sources).to_json()


def report_weights(
    logits: np.ndarray, exact: np.ndarray, targets: np.ndarray, sources: Sequence[str]
) -> dict[str, Any]:
    """Return what the exported model gains or loses against the weights that it was made from.

    Args:
        logits: Of the exported model, ``(N, C)``.
        exact: Of the weights in fp32, ``(N, C)``.
        targets: ``(N,)`` class indices.
        sources: The source of each photo.
    """
    kept, right = (part.argmax(axis=1) == targets for part in (logits, exact))
    statistics: dict[str, Callable[[np.ndarray], float]] = {
        "accuracy": lambda drawn: right[drawn].mean(),
        "macro_accuracy": lambda drawn: macro_accuracy(right[drawn], targets[drawn]),
        "gain": lambda drawn: kept[drawn].mean() - right[drawn].mean(),
    }
    result = {n: bootstrap(s, len(targets), sources).to_json() for n, s in statistics.items()}
    same = (logits.argmax(axis=1) == exact.argmax(axis=1)).mean()
    return result | {"same_class": round(float(same), 4)}


def report_unknown(
    known: np.ndarray,
    groups: dict[str, np.ndarray],
    config: ModelConfig,
    sources: dict[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Return how well each detector tells photos that show none of the animals with a name.

    Args:
        known: Logits of photos of these animals, ``(N, C)``.
        groups: Logits of other photos by what they are, ``(M, C)`` each.
        config: Names the model's own detector, whose threshold is applied.
        sources: The sources of the photos by group and as ``known``.
    """
    sources = sources or {}

    def called_known(name: str, logits: np.ndarray) -> dict[str, float]:
        called = in_distribution_score(logits, config) >= config.known_threshold
        return bootstrap(
            lambda drawn: called[drawn].mean(), len(called), sources.get(name)
        ).to_json()

    result = {"detector": config.detector, "known_called_known": called_known("known", known)}
    for group, logits in groups.items():
        row = {"photos": len(logits), "called_known": called_known(group, logits)}
        both = [*sources["known"], *sources[group]] if sources else None
        for detector in detectors_for(config):
            scores = (in_distribution_score(part, config, detector) for part in (known, logits))
            row[detector] = separation(*scores, both)
        result[group] = row
    return result


def by_source(
    right: np.ndarray, sources: Sequence[str], at_least: int = 10
) -> dict[str, dict[str, float]]:
    """Return the accuracy for each source of photos, the worst first."""
    names = np.array(sources)
    rows = {
        str(source): {
            "photos": int((names == source).sum()),
            "accuracy": round(float(right[names == source].mean()), 4),
        }
        for source in np.unique(names)
        if (names == source).sum() >= at_least
    }
    return dict(sorted(rows.items(), key=lambda item: item[1]["accuracy"]))


def as_text(figures: dict[str, Any]) -> str:
    """Return the report as tables for the terminal."""

    def estimates(figures: dict[str, Any]) -> list[str]:
        names = [name for name in (*ESTIMATES, "majority", "gain") if name in figures]
        return [f"{name:18} {Estimate.from_json(figures[name])}" for name in names]

    lines = [f"{figures['photos']} photos", *estimates(figures)]
    for name, row in figures.get("restricted", {}).items():
        lines += ["", f"{row['photos']} photos, answers of {name}", *estimates(row)]
    if weights := figures.get("weights"):
        lines += ["", "the weights in fp32, and what the exported model gains"]
        lines += [*estimates(weights), f"{'same class':18} {weights['same_class']:.3f}"]
    lines += ["", f"{'class':18} precision recall     F1  photos"]
    for name, row in figures["classes"].items():
        lines.append(
            f"{name:18} {row['precision']:9.3f} {row['recall']:6.3f} {row['f1']:6.3f}"
            f" {row['photos']:7}"
        )
    lines += ["", "most frequent confusions (true, predicted, photos)"]
    for row in figures["confusions"]:
        lines.append(f"{row['true']:18} {row['predicted']:18} {row['photos']:3}")
    if unknown := figures.get("unknown"):
        known = Estimate.from_json(unknown["known_called_known"])
        lines += ["", f"{figures['photos']} known photos, called known {known}"]
        for name, row in unknown.items():
            if not isinstance(row, dict) or "photos" not in row:
                continue
            called = Estimate.from_json(row["called_known"])
            lines.append(f"{row['photos']} photos of {name}, called known {called}")
            for detector in row.keys() - {"photos", "called_known"}:
                area = Estimate.from_json(row[detector]["auroc"])
                lines.append(f"  {detector:16} AUROC {area}  FPR95 {row[detector]['fpr95']:.3f}")
    return "\n".join(lines)
