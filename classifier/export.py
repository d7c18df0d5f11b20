"""Write an image classifier as ONNX for inference without torch, and calibrate it.

    python classifier/export.py --model runs/classifier
    python classifier/export.py --model runs/classifier --precision fp32

``model.onnx`` goes into the model folder. With ``--precision auto`` it is quantized to int8, with
ranges and rounding from training photos, if that costs at most half a point of validation
accuracy, else it stays fp32; the comparison is saved as ``export.json``. Temperature, detector and
thresholds of what was kept are chosen on validation photos and written to ``config.json``. Besides
``logits`` the model gives ``maps``, the class activation maps: where each class is seen, and
``features``, what the head reads.
"""

import sys
import tempfile
from itertools import chain
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from common.cli import ArgumentParser, run
from common.errors import InputError
from common.paths import CLASSIFIER_MODEL
from common.runtime.session import Session


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_model("--model", CLASSIFIER_MODEL)
    parser.add_data("animals", "labelled photos")
    parser.add_precision()
    return parser


def main() -> None:
    """Export, compare, keep one, calibrate it."""
    args = get_args_parser().parse_args()
    from classifier.calibration import calibrate
    from classifier.data import ood_groups, read_photos, select
    from classifier.model import load
    from classifier.predict import photo_logits
    from classifier.predictor import PhotoClassifier
    from classifier.quantize import export_both
    from common.config import fingerprint
    from common.runtime.export import choose_precision

    model, config = load(args.model)
    photos = read_photos(args.data, args.model)
    training = select(photos, "train", config.classes)
    validation = select(photos, "val", config.animals)
    if not training or not validation:
        raise InputError(f"{args.data}: no training or validation photos of the model's classes")

    def accuracy(session: Session) -> float:
        logits, targets, _ = photo_logits(
            lambda images: session({"images": images})["logits"], config, validation
        )
        return float(np.mean(logits.argmax(axis=1) == targets))

    with tempfile.TemporaryDirectory() as folder:
        both = export_both(model, config, training, Path(folder))
        weights = fingerprint(args.model / "model.safetensors")
        choose_precision(*both, accuracy, args.precision, args.model, weights)

    kept = PhotoClassifier.load(args.model, "cpu").model
    unknown = list(chain.from_iterable(ood_groups(photos, "val", config).values()))
    others = photo_logits(kept, config, unknown)[0] if unknown else np.empty((0, 0))
    logits, targets, _ = photo_logits(kept, config, validation)
    calibrate(config, logits, targets, others).save(args.model)


if __name__ == "__main__":
    run(main)
