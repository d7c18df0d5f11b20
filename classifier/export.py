"""Write an image classifier as ONNX for inference without torch, and calibrate it.

    python classifier/export.py --model runs/classifier
    python classifier/export.py --model runs/classifier --precision fp32

``model.onnx`` goes into the model folder. With ``--precision auto`` it is quantized to int8, with
ranges and rounding from training photos, if that costs at most half a point of validation
accuracy, else it stays fp32; the comparison is saved as ``export.json``. Temperature, detector and
thresholds of what was kept are chosen on validation photos and written to ``config.json``. Besides
``logits`` the model gives ``maps``, the class activation maps: where each class is seen.
"""

import copy
import random
import sys
import tempfile
from collections.abc import Sequence
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
from common.parallel import chunks
from common.paths import CLASSIFIER_MODEL

if TYPE_CHECKING:
    from classifier.data import Photo
    from classifier.model import Classifier

CALIBRATION_PHOTOS = 256  # that the ranges of activations are taken from
ROUNDING_PHOTOS = 64  # of these, that the weights are rounded for


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
        training: Photos for the ranges and the rounding of the int8 model.
        folder: Where to.

    Returns:
        The two files.

    Raises:
        InputError: If none of the photos can be read.
    """
    import torch

    from classifier.model import WithMaps
    from classifier.preprocess import load_image
    from classifier.rounding import round_convolutions

    inputs = []
    for photo in random.Random(0).sample(training, min(CALIBRATION_PHOTOS, len(training))):
        try:
            inputs.append(config.preprocess(load_image(photo.path)))
        except InputError as error:
            print(f"skipped: {error}", file=sys.stderr)
    if not inputs:
        raise InputError(f"no training photo can be read, e.g. {training[0].path}")

    rounded = copy.deepcopy(model)
    few = chunks(inputs[:ROUNDING_PHOTOS], 16)
    round_convolutions(rounded, (torch.from_numpy(np.stack(batch)) for batch in few))
    fp32, before, int8 = (folder / f"{name}.onnx" for name in ("fp32", "rounded", "int8"))
    example = {"images": torch.zeros(2, 3, config.crop, config.crop)}
    for network, path in {model: fp32, rounded: before}.items():
        onnx.export(WithMaps(network), example, ("batch",), path, ("logits", "maps"))
    onnx.quantize_static(before, int8, ({"images": image[None]} for image in inputs))
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
