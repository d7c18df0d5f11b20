"""Hyper-parameters that all training scripts share."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from common.config import option
from common.errors import InputError


@dataclass(frozen=True)
class TrainingConfig:
    """What a training run is made of; saved with it, so that ``--resume`` needs no flags."""

    data: Path | None = option(None, "the training data")
    epochs: int = option(10, "passes over the training data")
    batch_size: int = option(32, "examples a step")
    learning_rate: float = option(1e-4, "peak learning rate of the pretrained layers")
    head_learning_rate: float = option(1e-3, "peak learning rate of the new head")
    weight_decay: float = option(0.01, "decoupled weight decay of matrices and kernels (AdamW)")
    warmup: float = option(0.1, "share of all steps in which the learning rate rises")
    ema_decay: float = option(0.995, "decay of the moving average of the weights; 0: no average")
    label_smoothing: float = option(0.1, "share of the target spread over all classes")
    patience: int = option(4, "epochs without a better score before the run stops")
    precision: Literal["auto", "bf16", "fp32"] = option("auto", "auto: bf16 where it is native")
    workers: int = option(1, "processes that prepare batches")
    seed: int = option(0, "seed of splits, weights, order and augmentation")

    def __post_init__(self):
        positive = "epochs batch_size learning_rate head_learning_rate patience"
        self._require(positive, lambda x: x > 0, "above 0")
        self._require("weight_decay workers", lambda x: x >= 0, "at least 0")
        self._require("warmup ema_decay label_smoothing", lambda x: 0 <= x < 1, "in [0, 1)")

    def _require(self, names: str, valid: Callable[[float], bool], expected: str) -> None:
        for name in names.split():
            if not valid(getattr(self, name)):
                raise InputError(f"{name} must be {expected}, not {getattr(self, name)}")
