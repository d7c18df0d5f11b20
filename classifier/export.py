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
from common.cli import ArgumentParser, run
from common.errors import InputError
from common.parallel import chunks
from common.paths import CLASSIFIER_MODEL
from common.runtime.session import Session

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

    from classifier.model import ClassifierWithMaps
    from common.images.load import load_image
    from common.runtime.export import export
    from common.runtime.gptq import round_convolutions
    from common.runtime.quantize import quantize_static

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
        export(ClassifierWithMaps(network), example, ("batch",), path, ("logits", "maps"))
    quantize_static(before, int8, ({"images": image[None]} for image in inputs))
    return fp32, int8


def main() -> int:
    """Export, compare, keep one, calibrate it."""
    args = get_args_parser().parse_args()
    from classifier.calibration import calibrate
    from classifier.data import ood_groups, read_photos, select
    from classifier.model import load
    from classifier.predict import photo_logits
    from classifier.predictor import PhotoClassifier
    from common.runtime.export import choose_precision

    model, config = load(args.model)
    photos = read_photos(args.data)
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
        choose_precision(*both, accuracy, args.precision, args.model)

    kept = PhotoClassifier.load(args.model, "cpu").model
    unknown = list(chain.from_iterable(ood_groups(photos, "val", config).values()))
    others = photo_logits(kept, config, unknown)[0] if unknown else np.empty((0, 0))
    logits, targets, _ = photo_logits(kept, config, validation)
    calibrate(config, logits, targets, others).save(args.model)
    return 0


if __name__ == "__main__":
    run(main)
