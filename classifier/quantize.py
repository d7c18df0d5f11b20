"""A classifier as fp32 and as int8 ONNX, quantized with training photos. Needs torch."""

import copy
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from classifier.config import ModelConfig
from classifier.data import Photo
from classifier.model import Classifier, ClassifierWithMaps
from common.errors import InputError
from common.images.load import load_image
from common.parallel import chunks
from common.runtime.export import export
from common.runtime.gptq import round_convolutions
from common.runtime.quantize import quantize_dynamic, quantize_static

CALIBRATION_PHOTOS = 256  # that the ranges of activations are taken from
ROUNDING_PHOTOS = 64  # of these, that the weights are rounded for


def export_both(
    model: Classifier, config: ModelConfig, training: Sequence[Photo], folder: Path
) -> tuple[Path, Path]:
    """Write a classifier into a folder as fp32 and as int8, quantized as its encoder says.

    Training photos give the ranges and the rounding of the int8 model.

    Raises:
        InputError: If photos are needed and none can be read.
    """
    fp32, rounded, int8 = (folder / f"{name}.onnx" for name in ("fp32", "rounded", "int8"))
    example = {"images": torch.zeros(2, 3, config.crop, config.crop)}

    def write(network: Classifier, path: Path) -> None:
        export(ClassifierWithMaps(network), example, ("batch",), path, ClassifierWithMaps.outputs)

    write(model, fp32)
    if model.encoder.quantization == "dynamic":
        quantize_dynamic(fp32, int8)
        return fp32, int8

    inputs = []
    for photo in random.Random(0).sample(training, min(CALIBRATION_PHOTOS, len(training))):
        try:
            inputs.append(config.preprocess(load_image(photo.path)))
        except InputError as error:
            print(f"skipped: {error}", file=sys.stderr)
    if not inputs:
        raise InputError(f"no training photo can be read, e.g. {training[0].path}")
    copied = copy.deepcopy(model)
    few = chunks(inputs[:ROUNDING_PHOTOS], 16)
    round_convolutions(copied, (torch.from_numpy(np.stack(batch)) for batch in few))
    write(copied, rounded)
    quantize_static(rounded, int8, ({"images": image[None]} for image in inputs))
    return fp32, int8
