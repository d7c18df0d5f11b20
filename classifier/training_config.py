"""What a training run of the image classifier is made of."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from common.config import option
from common.training.config import TrainingConfig


@dataclass(frozen=True)
class ClassifierTrainingConfig(TrainingConfig):
    """Hyper-parameters of the image classifier."""

    data: Path | None = option(None, "labelled photos (default: animals under FAUNACHECK_DATA)")
    encoder: str = option("resnet50.tv2_in1k", "image encoder, by timm's name")
    weights: str = option("imagenet", "its pretrained weights: imagenet or a safetensors file")
    crop: int = option(224, "pixels of the square that the model sees")
    start: Path | None = option(None, "weights to start from instead of a linear probe")
    classes: Path | None = option(None, "file with one class a line; other photos are left out")
    unfreeze: Literal["none", "head", "last-stage", "last-two-stages", "all"] = option(
        "last-two-stages", "layers that are trained on after the linear probe"
    )
    size: int = option(160, "pixels of the augmented square; less than what the model sees later")
    balance: float = option(0.25, "0 draws photos evenly, 1 draws classes evenly")
    source_balance: float = option(0.25, "the same for the sources of photos within a class")
    trivial_augment: float = option(0.25, "share of photos with an operation of TrivialAugment")
    degrade: float = option(0.04, "probability of each of blur, noise, night, grey, JPEG, low size")
    erase: float = option(0.1, "share of photos from which a box is erased")
    mixup_share: float = option(0.1, "share of batches whose photos are mixed (mixup, CutMix)")
    augmented_copies: int = option(1, "augmented copies of each photo that a head is fitted to")
    batch_size: int = option(64, "photos a step")
    epochs: int = option(10, "passes over the training photos")
    learning_rate: float = option(1e-4, "peak learning rate of the last stage")
    layer_decay: float = option(0.7, "learning rate of a stage as a share of the one above it")
    head_learning_rate: float = option(1e-4, "peak learning rate of the head")
    weight_decay: float = option(0.05, "decoupled weight decay of matrices and kernels (AdamW)")
    label_smoothing: float = option(0.05, "share of the target spread over all classes")

    def __post_init__(self):
        super().__post_init__()
        shares = "balance source_balance trivial_augment degrade erase mixup_share layer_decay"
        self._require(shares, lambda x: 0 <= x <= 1, "in [0, 1]")
        self._require("augmented_copies", lambda x: x >= 0, "at least 0")
        self._require("size crop", lambda x: x > 0, "above 0")
