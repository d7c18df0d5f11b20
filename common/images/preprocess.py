"""From an RGB image to a network's input, without torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # torchvision's normalisation, RGB in [0, 1]


IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocess:
    """Resize the shorter side to ``resize``, cut the centre of ``crop`` pixels, normalise.

    The centre may be longer than that by a factor of ``squash``, and is squeezed into a square:
    training squeezes photos too, and animals at the edges of a photo are seen.
    """

    resize: int = 256
    crop: int = 224
    mean: Sequence[float] = IMAGENET_MEAN
    std: Sequence[float] = IMAGENET_STD
    squash: float = 1.0

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """What the model sees of an image: left, top, right and bottom in its pixels."""
        share = self.crop / self.resize
        side = min(width, height) * share
        across, down = (min(edge * share, side * self.squash) for edge in (width, height))
        left, top = (width - across) / 2, (height - down) / 2
        return left, top, left + across, top + down

    def __call__(self, image: Image.Image) -> np.ndarray:
        """An RGB image as float32 ``(3, crop, crop)``."""
        # Only the centre is resized: the same pixels, and no cost for panoramas.
        size = self.crop, self.crop
        image = image.resize(size, Image.Resampling.BILINEAR, box=self.box(*image.size))
        pixels = np.asarray(image, np.float32) / 255
        pixels = (pixels - np.float32(self.mean)) / np.float32(self.std)
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))
