"""Write an image classifier as ONNX for inference without torch, and calibrate it.

    python classifier/export.py --model runs/classifier
    python classifier/export.py --model runs/classifier --precision fp32

``model.onnx`` goes into the model folder. With ``--precision auto`` it is quantized to int8, with
ranges from training photos, if that costs at most half a point of validation accuracy, else it
stays fp32; the comparison is saved as ``export.json``. Temperature, detector and thresholds of what
was kept are chosen on validation photos and written to ``config.json``. Besides ``logits`` the
model gives ``maps``, the class activation maps whose mean the logits are.
"""

import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from classifier.config import ModelConfig
from common import onnx
from common.cli import ArgumentParser, run
from common.errors import InputError
from common.paths import CLASSIFIER_MODEL

if TYPE_CHECKING:
    from classifier.data import Photo
    from classifier.model import Classifier

CALIBRATION_PHOTOS = 256


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_model("--model", CLASSIFIER_MODEL)
    parser.add_data("animals", "labelled photos")
    parser.add_precision()
    return parser


def export_both(
    model: "Classifier", config: ModelConfig, training: "Sequence[Photo]", folder: Path
) -> tuple[Path, Path]:
    """Write a classifier as fp32 and as int8.

    Args:
        model: The classifier.
        config: Names its preprocessing.
        training: Photos that the ranges of the int8 model are taken from.
        folder: Where to.

    Returns:
        The two files.
    """
    import torch

    from classifier.model import WithMaps
    from classifier.preprocess import load_image

    def batches() -> Iterator[dict[str, np.ndarray]]:
        for photo in random.Random(0).sample(training, min(CALIBRATION_PHOTOS, len(training))):
            try:
                yield {"images": config.preprocess(load_image(photo.path))[None]}
            except InputError as error:
                print(f"skipped: {error}", file=sys.stderr)

    fp32, int8 = folder / "fp32.onnx", folder / "int8.onnx"
    example = torch.zeros(2, 3, config.crop, config.crop)
    onnx.export(WithMaps(model), {"images": example}, ("batch",), fp32, ("logits", "maps"))
    onnx.quantize_static(fp32, int8, batches())
    return fp32, int8


def main() -> int:
    """Export, compare, keep one, calibrate it."""
    args = get_args_parser().parse_args()
    from classifier.calibration import calibrated
    from classifier.data import read_photos
    from classifier.evaluate import photo_logits, restrict, unknown_groups
    from classifier.inference import PhotoClassifier
    from classifier.model import load

    model, config = load(args.model)
    photos = read_photos(args.data)
    training = restrict(photos, "train", config.classes)
    validation = restrict(photos, "val", config.animals)
    if not training or not validation:
        raise InputError(f"{args.data}: no training or validation photos of the model's classes")

    def accuracy(run: onnx.Run) -> float:
        logits, targets, _ = photo_logits(
            lambda images: run({"images": images}), config, validation
        )
        return float(np.mean(logits.argmax(axis=1) == targets))

    with tempfile.TemporaryDirectory() as folder:
        both = export_both(model, config, training, Path(folder))
        onnx.keep_best(*both, accuracy, args.precision, args.model)

    kept = PhotoClassifier.load(args.model, "cpu").model
    unknown = list(chain.from_iterable(unknown_groups(photos, "val", config).values()))
    others = photo_logits(kept, config, unknown)[0] if unknown else np.empty((0, 0))
    logits, targets, _ = photo_logits(kept, config, validation)
    calibrated(config, logits, targets, others).save(args.model)
    return 0


if __name__ == "__main__":
    run(main)
