"""Write an image classifier as ONNX for inference without torch.

    python classifier/export.py --model runs/classifier
    python classifier/export.py --model runs/classifier --precision fp32

``model.onnx`` goes into the model folder. With ``--precision auto`` it is quantized to int8, with
ranges from training photos, if that costs at most half a point of validation accuracy, else it
stays fp32; the comparison is saved as ``export.json``.
"""

import random
import sys
import tempfile
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from common.cli import ArgumentParser, run
from common.errors import InputError
from common.paths import CLASSIFIER_MODEL

CALIBRATION_PHOTOS = 256


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_model("--model", CLASSIFIER_MODEL)
    parser.add_data("animals", "labelled photos")
    parser.add_precision()
    return parser


def main() -> int:
    """Export, compare, keep one."""
    args = get_args_parser().parse_args()
    import torch

    from classifier.data import read_photos
    from classifier.evaluate import photo_logits, restrict
    from classifier.model import load
    from classifier.preprocess import load_image
    from common import onnx

    model, config = load(args.model)
    photos = read_photos(args.data)
    training, validation = (restrict(photos, split, config.classes) for split in ("train", "val"))
    if not training or not validation:
        raise InputError(f"{args.data}: no training or validation photos of the model's classes")
    chosen = random.Random(0).sample(training, min(CALIBRATION_PHOTOS, len(training)))

    def calibration():
        for photo in chosen:
            try:
                yield {"images": config.preprocess(load_image(photo.path))[None]}
            except InputError as error:
                print(f"skipped: {error}", file=sys.stderr)

    def accuracy(run: onnx.Run) -> float:
        logits, targets = photo_logits(lambda images: run({"images": images}), config, validation)
        return float(np.mean(logits.argmax(axis=1) == targets))

    with tempfile.TemporaryDirectory() as folder:
        fp32, int8 = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        example = torch.zeros(2, 3, config.crop, config.crop)
        onnx.export(model, {"images": example}, ("batch",), fp32)
        onnx.quantize_static(fp32, int8, calibration())
        onnx.keep_best(fp32, int8, accuracy, args.precision, args.model)
    return 0


if __name__ == "__main__":
    run(main)
