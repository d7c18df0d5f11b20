"""From an RGB image to a network's input, without torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

INTERPOLATIONS = {filter.name.lower(): filter for filter in Image.Resampling}


@dataclass(frozen=True)
class Preprocess:
    """Resize the shorter side to ``resize``, cut the centre of ``crop`` pixels, normalise.

    The centre may be longer than wide, or the reverse, by a factor of ``max_aspect``, and is
    squeezed into a square: training squeezes photos too, and animals at the edges are seen.

    Attributes:
        resize: Pixels of the shorter side before cropping.
        crop: Pixels of the square that the network sees.
        mean: RGB means, of values in [0, 1].
        std: RGB standard deviations.
        max_aspect: At least 1.
        interpolation: A key of `INTERPOLATIONS`.
    """

    resize: int
    crop: int
    mean: Sequence[float]
    std: Sequence[float]
    max_aspect: float
    interpolation: str

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """What the model sees of an image: left, top, right and bottom in its pixels."""
        share = self.crop / self.resize
        side = min(width, height) * share
        across, down = (min(edge * share, side * self.max_aspect) for edge in (width, height))
        left, top = (width - across) / 2, (height - down) / 2
        return left, top, left + across, top + down

    def __call__(self, image: Image.Image) -> np.ndarray:
        """An RGB image as float32 ``(3, crop, crop)``."""
        # Only the centre is resized: the same pixels, and no cost for panoramas.
        size = self.crop, self.crop
        filter = INTERPOLATIONS[self.interpolation]
        image = image.resize(size, filter, box=self.box(*image.size))
        pixels = np.asarray(image, np.float32) / 255
        pixels = (pixels - np.float32(self.mean)) / np.float32(self.std)
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))
