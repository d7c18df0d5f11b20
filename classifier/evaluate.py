"""Measure an image classifier: everything that its card quotes.

    python classifier/evaluate.py                                       # the model that answers
    python classifier/evaluate.py --model runs/classifier --runtime torch
    python classifier/evaluate.py --classes mine.txt --classes others.txt --output runs/report

prints accuracy, macro accuracy and calibration error with 95 % bootstrap intervals that resample
the sources of the photos, each class, the most frequent confusions, and how well each detector
tells photos that show none of the animals. ``--classes`` adds the scores of an answer restricted to
some classes, on photos of these; AwA2's 50 without it, where the model has them. ``--runtime both``
measures ``model.onnx`` and what it gains or loses against the fp32 weights. All of it is saved as
``evaluation.json`` with ``confusion.png`` and ``reliability.png`` in the model folder (``--output``
names another folder).
"""

import sys
from pathlib import Path
from typing import Any

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from common.cli import ArgumentParser, run
from common.errors import InputError
from common.paths import CLASSIFIER_MODEL, ROOT

AWA2 = ROOT / "data/awa2_classes.txt"


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_model("--model", CLASSIFIER_MODEL)
    parser.add_data("animals", "labelled photos")
    parser.add_argument("--split", choices=("train", "val", "test"), default="test")
    parser.add_argument(
        "--classes",
        type=Path,
        action="append",
        metavar="FILE",
        help="restrict the answer to these classes; may be repeated (default: AwA2's 50)",
    )
    parser.add_evaluation()
    return parser


def main() -> None:
    """Evaluate, print and save."""
    args = get_args_parser().parse_args()
    from classifier.config import ModelConfig
    from classifier.data import ood_groups, read_classes, read_photos, select
    from classifier.predict import photo_logits, sources_of
    from classifier.report import report, report_restricted, report_unknown
    from common.config import save_json
    from common.evaluation.plots import save_confusion, save_reliability
    from common.evaluation.tables import as_text

    config = ModelConfig.load(args.model)
    models = {}
    if args.runtime != "torch":
        from classifier.predictor import PhotoClassifier

        models["onnx"] = PhotoClassifier.load(args.model, args.device).model
    if args.runtime != "onnx":
        from classifier.model import load
        from common.training.forward import torch_model
        from common.training.loop import pick_device

        device = pick_device(args.device)
        models["torch"] = torch_model(load(args.model)[0].to(device), device)
    model, *exact = models.values()

    photos = read_photos(args.data, args.model)
    known = select(photos, args.split, config.animals)
    if not known:
        raise InputError(
            f"{args.data}: no photo in split {args.split} has a label that the model knows:"
            f" {', '.join(config.animals)}"
        )
    groups = {"known": known, **ood_groups(photos, args.split, config)}
    answers = {name: photo_logits(model, config, members) for name, members in groups.items()}
    sources = {name: sources_of(read) for name, (*_, read) in answers.items()}
    logits, targets, known = answers.pop("known")

    figures = {"split": args.split, "runtime": next(iter(models))}
    figures |= report(logits, targets, config, sources["known"])

    def scores(rows: np.ndarray) -> dict[str, Any]:
        whole = report(rows, targets, config, sources["known"])
        return {name: whole[name] for name in ("photos", "accuracy", "macro_accuracy")}

    if training := select(photos, "train", config.animals):
        labels = [config.classes.index(photo.label) for photo in training]
        always = np.eye(len(config.classes))[np.bincount(labels).argmax()]
        figures["majority_class"] = scores(np.tile(always, (len(targets), 1)))
    for weights in exact:
        figures["weights"] = scores(photo_logits(weights, config, known)[0])
    lists = {path.stem: read_classes(path) for path in args.classes or [AWA2]}
    figures["restricted"] = {
        name: report_restricted(logits, targets, config, sources["known"], classes)
        for name, classes in lists.items()
        if args.classes or set(classes) <= set(config.classes)
    }
    if answers:
        others = {name: row for name, (row, *_) in answers.items()}
        figures["unknown"] = report_unknown(logits, others, config, sources)
    print(as_text({k: v for k, v in figures.items() if k != "confusion_matrix"}))
    folder = args.output or args.model
    folder.mkdir(parents=True, exist_ok=True)
    save_json(figures, folder / "evaluation.json")
    save_confusion(figures["confusion_matrix"], config.classes, folder / "confusion.png")
    save_reliability(figures["reliability"], folder / "reliability.png")


if __name__ == "__main__":
    run(main)
