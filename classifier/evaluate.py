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
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from common.cli import ArgumentParser, run
from common.errors import InputError
from common.paths import CLASSIFIER_MODEL


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


def main() -> int:
    """Evaluate, print and save."""
    args = get_args_parser().parse_args()
    from classifier.data import ood_groups, read_classes, read_photos, select
    from classifier.predict import photo_logits, with_classes
    from classifier.report import (
        as_text,
        by_source,
        report,
        report_unknown,
        save_confusion,
        save_reliability,
    )
    from common.config import save_json

    if args.runtime == "torch":
        from classifier.model import load
        from common.training.forward import torch_model
        from common.training.loop import pick_device

        device = pick_device(args.device)
        model, config = load(args.model)
        function = torch_model(model.to(device), device)
    else:
        from classifier.predictor import PhotoClassifier

        classifier = PhotoClassifier.load(args.model, args.device)
        function, config = classifier.model, classifier.config
    photos = read_photos(args.data)
    others: dict[str, np.ndarray] = {}
    if args.classes:
        function, config = with_classes(function, config, read_classes(args.classes))
    else:
        for name, members in ood_groups(photos, args.split, config).items():
            others[name], _, _ = photo_logits(function, config, members)
    inside = select(photos, args.split, config.animals)
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
