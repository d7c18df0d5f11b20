"""Measure an image classifier: accuracy, macro accuracy, calibration, each class, what is unknown.

    python classifier/evaluate.py                                       # the model that answers
    python classifier/evaluate.py --runtime torch --model runs/classifier
    python classifier/evaluate.py --classes data/awa2_classes.txt --output runs/awa2

prints the report and saves it as ``evaluation.json`` with ``confusion.png`` and ``reliability.png``
in the model folder (``--output`` names another folder). With ``--classes`` the answer is restricted
to these and so are the photos. Photos of animals that are no class, and of none, measure how well
it tells what it does not know.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from classifier.config import NOT_ANIMAL, OTHER_ANIMAL, ModelConfig
from classifier.metrics import by_source, report, report_unknown
from classifier.preprocess import Run, run_photos
from common.cli import ArgumentParser, run
from common.errors import InputError
from common.paths import CLASSIFIER_MODEL

if TYPE_CHECKING:
    import torch

    from classifier.data import Photo


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_model("--model", CLASSIFIER_MODEL)
    parser.add_data("animals", "labelled photos")
    parser.add_argument("--split", choices=("train", "val", "test"), default="test")
    parser.add_argument("--classes", type=Path, metavar="FILE", help="answer with these classes")
    parser.add_argument(
        "--runtime", choices=("onnx", "torch"), default="onnx", help="model.onnx or the weights"
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder for the report")
    parser.add_device()
    return parser


def torch_model(
    forward: "Callable[[torch.Tensor], torch.Tensor]",
    device: "torch.device",
    precision: str = "fp32",
) -> Run:
    """A torch model, or one of its methods, as a function from numpy to numpy.

    Args:
        forward: From ``(B, 3, H, W)`` to ``(B, C)``.
        device: Where the model is.
        precision: ``auto``, ``bf16`` or ``fp32``.
    """
    import torch

    from common.training import autocast

    @torch.inference_mode()
    def infer(images: np.ndarray) -> np.ndarray:
        batch = torch.from_numpy(images).to(device, memory_format=torch.channels_last)
        with autocast(device, precision):  # here, because it holds for one thread only
            return forward(batch).float().cpu().numpy()

    return infer


def restrict(photos: "Sequence[Photo]", split: str, classes: Sequence[str]) -> "list[Photo]":
    """The photos of one split whose label is a class."""
    return [photo for photo in photos if photo.split == split and photo.label in classes]


def unknown_groups(
    photos: "Sequence[Photo]", split: str, config: ModelConfig
) -> "dict[str, list[Photo]]":
    """The photos of one split that show nothing the model has a name for, by what they are.

    Photos of a kind below a class (a wildebeest is an antelope) or of a group with classes ("ape")
    are neither known nor unknown for sure, and left out.
    """
    from classifier.data import allowed_classes
    from matching.taxonomy import Taxonomy

    photos = [photo for photo in photos if photo.split == split]
    classes = [*config.animals, OTHER_ANIMAL]
    allowed = allowed_classes({photo.label for photo in photos}, classes, Taxonomy.load())
    other = {label for label, row in allowed.items() if row[-1] and row.sum() == 1}
    groups = {
        NOT_ANIMAL: [photo for photo in photos if photo.label == NOT_ANIMAL],
        OTHER_ANIMAL: [photo for photo in photos if photo.label in other],
    }
    return {name: members for name, members in groups.items() if members}


def photo_logits(
    model: Run, config: ModelConfig, photos: "Sequence[Photo]"
) -> "tuple[np.ndarray, np.ndarray, list[Photo]]":
    """Logits and labels of photos.

    Args:
        model: From a batch to logits.
        config: Names the classes and the preprocessing.
        photos: Unreadable ones are reported on stderr and left out.

    Returns:
        Logits ``(N, C)``, class indices ``(N,)`` (-1 for labels that are no class) and N photos.

    Raises:
        InputError: If none can be read.
    """
    index = {name: i for i, name in enumerate(config.classes)}
    logits, targets, read = [], [], []
    paths = [photo.path for photo in photos]
    for photo, row in zip(photos, run_photos(model, config.preprocess, paths), strict=True):
        if isinstance(row, InputError):
            print(f"skipped: {row}", file=sys.stderr)
        else:
            logits.append(row)
            targets.append(index.get(photo.label, -1))
            read.append(photo)
    if not logits:
        raise InputError(f"none of {len(photos)} photos can be read")
    return np.stack(logits), np.array(targets), read


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


def save_reliability(bins: Sequence[dict[str, float]], path: Path) -> None:
    """Draw accuracy against confidence; the area of a dot is its share of the photos."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

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


def answering_with(
    model: Run, config: ModelConfig, classes: Sequence[str]
) -> tuple[Run, ModelConfig]:
    """A model whose answer is restricted to some of its classes.

    Raises:
        InputError: If it has not all of them.
    """
    missing = sorted(set(classes) - set(config.classes))
    if missing:
        raise InputError(f"--classes: the model has no class {', '.join(missing)}")
    columns = [config.classes.index(name) for name in classes]
    return lambda images: model(images)[:, columns], replace(config, classes=list(classes))


def main() -> int:
    """Evaluate, print and save."""
    args = get_args_parser().parse_args()
    from classifier.data import read_classes, read_photos
    from common.config import save_json

    if args.runtime == "torch":
        from classifier.model import load
        from common.training import pick_device

        device = pick_device(args.device)
        model, config = load(args.model)
        function = torch_model(model.to(device), device)
    else:
        from classifier.inference import PhotoClassifier

        classifier = PhotoClassifier.load(args.model, args.device)
        function, config = classifier.model, classifier.config
    photos = read_photos(args.data)
    others: dict[str, np.ndarray] = {}
    if args.classes:
        function, config = answering_with(function, config, read_classes(args.classes))
    else:
        for name, members in unknown_groups(photos, args.split, config).items():
            others[name], _, _ = photo_logits(function, config, members)
    inside = restrict(photos, args.split, config.animals)
    if not inside:
        raise InputError(
            f"{args.data}: no photo in split {args.split} has a label that the model knows:"
            f" {', '.join(config.animals)}"
        )
    logits, targets, inside = photo_logits(function, config, inside)
    figures = report(logits, targets, config)
    figures["sources"] = by_source(logits, targets, [photo.source for photo in inside])
    if others:
        figures["unknown"] = report_unknown(logits, others, config)
    print(as_text(figures))
    folder = args.output or args.model
    folder.mkdir(parents=True, exist_ok=True)
    save_json(figures, folder / "evaluation.json")
    save_confusion(figures["confusion_matrix"], config.classes, folder / "confusion.png")
    save_reliability(figures["reliability"], folder / "reliability.png")
    return 0


if __name__ == "__main__":
    run(main)
