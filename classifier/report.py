"""The figures that describe a classifier, from logits and labels."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix

from classifier.config import ModelConfig
from classifier.detectors import detectors_for, in_distribution_score, is_known
from classifier.predict import class_columns
from common.evaluation.bootstrap import bootstrap, estimates
from common.evaluation.metrics import (
    class_rows,
    expected_calibration_error,
    macro_accuracy,
    reliability,
    separation,
)
from common.numeric import softmax


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
        **estimates(statistics, len(targets), sources),
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
    figures = report(
        logits[inside][:, columns], place[targets[inside]], config, np.array(sources)[inside]
    )
    del figures["confusion_matrix"]
    return figures


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
        called = is_known(logits, config)
        return bootstrap(lambda i: called[i].mean(), len(called), sources.get(name)).to_json()

    result = {"detector": config.detector, "known_called_known": called_known("known", known)}
    for group, logits in groups.items():
        both = [*sources["known"], *sources[group]] if sources else None
        result[group] = {"photos": len(logits), "called_known": called_known(group, logits)}
        result[group]["detectors"] = detectors = {}
        for name in detectors_for(config):
            scores = (in_distribution_score(part, config, name) for part in (known, logits))
            detectors[name] = separation(*scores, both)
    return result


def by_source(
    right: np.ndarray, sources: Sequence[str], at_least: int = 10
) -> dict[str, dict[str, float]]:
    """Return the accuracy for each source of photos, the worst first."""
    names = np.array(sources)
    rows = {}
    for source in np.unique(names):
        own = right[names == source]
        if len(own) >= at_least:
            rows[str(source)] = {"photos": len(own), "accuracy": round(float(own.mean()), 4)}
    return dict(sorted(rows.items(), key=lambda item: item[1]["accuracy"]))
