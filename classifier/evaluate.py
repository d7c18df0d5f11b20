"""Measure an image classifier: accuracy, macro accuracy, each class, intervals, confusions.

    python classifier/evaluate.py --model models/classifier --data photos --split test

prints the report and saves it as ``evaluation.json`` with ``confusion.png`` in the model folder
(``--output`` names another folder). Photos of labels that are no classes of the model measure how
well it tells what it does not know.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from classifier.calibration import energy_score
from classifier.config import ModelConfig
from classifier.preprocess import Run, run_photos
from common.cli import ArgumentParser, run
from common.errors import InputError
from common.numeric import bootstrap_interval, softmax
from common.paths import CLASSIFIER_MODEL

if TYPE_CHECKING:
    import torch
    from torch import nn

    from classifier.data import Photo


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_model("--model", CLASSIFIER_MODEL)
    parser.add_data("animals", "labelled photos")
    parser.add_argument("--split", choices=("train", "val", "test"), default="test")
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder for the report")
    parser.add_device()
    return parser


def torch_model(model: "nn.Module", device: "torch.device") -> Run:
    """A torch model as a function from ``(B, 3, H, W)`` to logits ``(B, C)`` in numpy."""
    import torch

    @torch.inference_mode()
    def logits(images: np.ndarray) -> np.ndarray:
        batch = torch.from_numpy(images).to(device, memory_format=torch.channels_last)
        return model(batch).float().cpu().numpy()

    return logits


def restrict(photos: "Sequence[Photo]", split: str, classes: Sequence[str]) -> "list[Photo]":
    """The photos of one split whose label is a class."""
    return [photo for photo in photos if photo.split == split and photo.label in classes]


def photo_logits(
    model: Run, config: ModelConfig, photos: "Sequence[Photo]"
) -> tuple[np.ndarray, np.ndarray]:
    """Logits and labels of photos.

    Args:
        model: From a batch to logits.
        config: Names the classes and the preprocessing.
        photos: Unreadable ones are reported on stderr and left out.

    Returns:
        Logits ``(N, C)``, and ``(N,)`` class indices, -1 for labels that are no class.

    Raises:
        InputError: If none can be read.
    """
    index = {name: i for i, name in enumerate(config.classes)}
    logits, targets = [], []
    paths = [photo.path for photo in photos]
    for photo, row in zip(photos, run_photos(model, config.preprocess, paths), strict=True):
        if isinstance(row, InputError):
            print(f"skipped: {row}", file=sys.stderr)
        else:
            logits.append(row)
            targets.append(index.get(photo.label, -1))
    if not logits:
        raise InputError(f"none of {len(photos)} photos can be read")
    return np.stack(logits), np.array(targets)


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
        totals = np.bincount(targets[drawn], minlength=len(config.classes))
        hits = np.bincount(targets[drawn], right[drawn], minlength=len(config.classes))
        return float((hits[totals > 0] / totals[totals > 0]).mean())

    def accuracy(drawn: np.ndarray) -> float:
        return float(right[drawn].mean())

    everything = np.arange(len(targets))
    confusion = np.zeros((len(config.classes),) * 2, int)  # (true, predicted)
    np.add.at(confusion, (targets, predicted), 1)
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:10]
    pairs = [divmod(int(i), len(config.classes)) for i in order if wrong.flat[i]]
    return {
        "photos": len(targets),
        "accuracy": round(accuracy(everything), 4),
        "accuracy_interval": _rounded(bootstrap_interval(accuracy, len(targets))),
        "macro_accuracy": round(macro(everything), 4),
        "macro_accuracy_interval": _rounded(bootstrap_interval(macro, len(targets))),
        "calibration_error": round(
            expected_calibration_error(softmax(logits, config.temperature), targets), 4
        ),
        "classes": _class_rows(confusion, config.classes),
        "confusions": [
            {"true": config.classes[i], "predicted": config.classes[j], "photos": int(wrong[i, j])}
            for i, j in pairs
        ],
        "confusion_matrix": confusion.tolist(),
    }


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


def expected_calibration_error(
    probabilities: np.ndarray, targets: np.ndarray, bins: int = 15
) -> float:
    """Mean gap between confidence and accuracy over equal-width bins (Guo et al. 2017)."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(right[place == b].mean() - confidence[place == b].mean()) * (place == b).mean()
        for b in range(bins)
        if (place == b).any()
    ]
    return float(sum(gaps))


def report_unknown(
    known: np.ndarray, groups: dict[str, np.ndarray], threshold: float
) -> dict[str, Any]:
    """How well the energy score tells photos of no class.

    Args:
        known: Scores of photos of the classes, ``(N,)``.
        groups: Scores of other photos by what they are.
        threshold: From the model's configuration.
    """
    result: dict[str, Any] = {"known_called_known": round(float((known >= threshold).mean()), 4)}
    for name, scores in groups.items():
        wins = (known[:, None] > scores[None]).mean() + 0.5 * (
            known[:, None] == scores[None]
        ).mean()
        result[name] = {
            "photos": len(scores),
            "called_known": round(float((scores >= threshold).mean()), 4),
            "auroc": round(float(wins), 4),
        }
    return result


def _rounded(interval: tuple[float, float]) -> list[float]:
    return [round(value, 4) for value in interval]


def as_text(figures: dict[str, Any]) -> str:
    """The report as a table for the terminal."""
    lines = [f"{figures['photos']} photos"]
    for name in ("accuracy", "macro_accuracy"):
        low, high = figures[name + "_interval"]
        lines.append(f"{name:18} {figures[name]:.3f}  [{low:.3f}, {high:.3f}]")
    lines.append(f"{'calibration_error':18} {figures['calibration_error']:.3f}")
    lines += ["", f"{'class':18} precision recall     F1  photos"]
    for name, row in figures["classes"].items():
        lines.append(
            f"{name:18} {row['precision']:9.3f} {row['recall']:6.3f} {row['f1']:6.3f}"
            f" {row['photos']:7}"
        )
    lines += ["", "most frequent confusions (true, predicted, photos)"]
    for row in figures["confusions"]:
        lines.append(f"{row['true']:18} {row['predicted']:18} {row['photos']:3}")
    for name, row in figures.get("unknown", {}).items():
        lines.append(f"{name}: {row}")
    return "\n".join(lines)


def save_confusion(matrix: Sequence[Sequence[int]], classes: Sequence[str], path: Path) -> None:
    """Draw the confusion matrix, each row as shares of its class."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

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


def main() -> int:
    """Evaluate, print and save."""
    args = get_args_parser().parse_args()
    from classifier.data import read_photos
    from classifier.model import load
    from common.config import save_json
    from common.training import pick_device

    device = pick_device(args.device)
    model, config = load(args.model)
    photos = [photo for photo in read_photos(args.data) if photo.split == args.split]
    inside = [photo for photo in photos if photo.label in config.classes]
    if not inside:
        raise InputError(
            f"{args.data}: no photo in split {args.split} has a label that the model knows:"
            f" {', '.join(config.classes)}"
        )
    function = torch_model(model.to(device), device)
    logits, targets = photo_logits(function, config, inside)
    figures = report(logits, targets, config)
    outside = [photo for photo in photos if photo.label not in config.classes]
    if outside:
        kinds = {"not_animal": [p for p in outside if p.label == "not_animal"]}
        kinds["other_animal"] = [p for p in outside if p.label != "not_animal"]
        figures["unknown"] = report_unknown(
            energy_score(logits, config.temperature),
            {
                name: energy_score(photo_logits(function, config, part)[0], config.temperature)
                for name, part in kinds.items()
                if part
            },
            config.known_threshold,
        )
    print(as_text(figures))
    folder = args.output or args.model
    folder.mkdir(parents=True, exist_ok=True)
    save_json(figures, folder / "evaluation.json")
    save_confusion(figures["confusion_matrix"], config.classes, folder / "confusion.png")
    return 0


if __name__ == "__main__":
    run(main)
