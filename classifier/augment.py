"""Augmentation for training: what else a photo of the same animal could have looked like.

Photos of one source look alike, and a network learns the look instead of the animal where it can.
So crops, colours and quality vary more than they do within any source, and some photos are mixed.
"""

from io import BytesIO

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageFilter
from torchvision.transforms import v2

from classifier.config import ModelConfig
from classifier.training_config import ClassifierTrainingConfig


class Degrade:
    """What cameras, night and the web do to a photo, each with the same probability.

    Low resolution, JPEG blocks, blur, sensor noise, darkness and the loss of colour, which stands
    for infra-red photos too.
    """

    def __init__(self, probability: float):
        self.probability = probability

    def __call__(self, image: Image.Image) -> Image.Image:
        """Degrade an RGB image, same size."""
        *drawn, strength = torch.rand(7).tolist()
        low, blur, dark, grey, noise, jpeg = (value < self.probability for value in drawn)
        if low:
            size = image.size
            share = 0.25 + 0.5 * strength
            image = image.resize([max(1, round(side * share)) for side in size]).resize(size)
        if blur:
            image = image.filter(ImageFilter.GaussianBlur(0.5 + 2 * strength))
        if dark:
            image = ImageEnhance.Brightness(image).enhance(0.2 + 0.5 * strength)
        if grey:
            image = image.convert("L").convert("RGB")
        if noise:
            spread = (5 + 25 * strength) * torch.randn(image.height, image.width, 3).numpy()
            image = Image.fromarray((np.asarray(image) + spread).clip(0, 255).astype(np.uint8))
        if jpeg:
            buffer = BytesIO()
            image.save(buffer, "JPEG", quality=round(15 + 50 * strength))
            image = Image.open(buffer).convert("RGB")
        return image


def train_transform(size: int, model: ModelConfig, config: ClassifierTrainingConfig) -> v2.Compose:
    """A PIL image to an augmented tensor ``(3, size, size)``, float32 and normalised.

    Crops, mirror images, TrivialAugment (Mueller & Hutter, ICCV 2021), `Degrade` and erased boxes,
    in the shares that a run is configured with.
    """
    return v2.Compose(
        [
            v2.RandomResizedCrop(size, scale=(0.35, 1.0), antialias=True),
            v2.RandomHorizontalFlip(),
            v2.RandomApply([v2.TrivialAugmentWide()], config.trivial_augment),
            Degrade(config.degrade),
            v2.PILToTensor(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(model.mean, model.std),
            v2.RandomErasing(config.erase),
        ]
    )


def mix(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Mix each photo of a batch with another one: half of the batches blended, half pasted.

    mixup (Zhang et al., ICLR 2018) with Beta(0.4, 0.4), or CutMix (Yun et al., ICCV 2019).

    Args:
        images: ``(B, 3, H, W)``.

    Returns:
        The mixed images, the partner of each ``(B,)``, and the share of each that is its own.
    """
    partner = torch.randperm(len(images))
    if torch.rand(()) < 0.5:
        share = float(torch.distributions.Beta(0.4, 0.4).sample())
        return images.lerp(images[partner], 1 - share), partner, share
    height, width = images.shape[-2:]
    side = float(torch.rand(())) ** 0.5
    rows, columns = round(height * side), round(width * side)
    top = int(torch.randint(height - rows + 1, ()))
    left = int(torch.randint(width - columns + 1, ()))
    box = (..., slice(top, top + rows), slice(left, left + columns))
    images = images.clone()
    images[box] = images[partner][box]
    return images, partner, 1 - rows * columns / (height * width)
