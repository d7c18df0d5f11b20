"""What a classifier's folder says about itself in ``config.json``."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common.config import save_json
from common.errors import InputError
from common.images.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess
from matching.taxonomy import UNNAMED


@dataclass(frozen=True)
class ModelConfig:
    """Shape, preprocessing and calibration of one classifier.

    Attributes:
        classes: Names in the order of the logits, with underscores; `UNNAMED` may be among them.
        layers: Bottleneck blocks in the four stages; (3, 4, 6, 3) is ResNet50.
        width: Width of a bottleneck's first block; 64 is ResNet50.
        imagenet: Whether the backbone's head over ImageNet has a say in what is no animal.
        resize: Pixels of the shorter side before cropping.
        crop: Pixels of the square that the model sees.
        squash: How much longer than wide what it sees may be, see `Preprocess`.
        mean: RGB means, of values in [0, 1].
        std: RGB standard deviations.
        temperature: Divides the logits (chosen on validation data).
        detector: Which score of `classifier.calibration` tells known photos from unknown ones.
        known_threshold: A photo whose score is lower shows none of the classes.
        claim_threshold: A concept with at least this probability is in the picture.
    """

    classes: Sequence[str]
    layers: Sequence[int] = (3, 4, 6, 3)
    width: int = 64
    imagenet: bool = False
    resize: int = 224  # the whole shorter side: animals reach the edges (chosen on validation data)
    crop: int = 224
    squash: float = 1.15
    mean: Sequence[float] = IMAGENET_MEAN
    std: Sequence[float] = IMAGENET_STD
    temperature: float = 1.0
    detector: str = "energy"
    known_threshold: float = float("-inf")
    claim_threshold: float = 0.5

    @property
    def animals(self) -> list[str]:
        """The classes that name an animal."""
        return [name for name in self.classes if name not in UNNAMED]

    @property
    def preprocess(self) -> Preprocess:
        """The transform that belongs to the weights."""
        return Preprocess(self.resize, self.crop, self.mean, self.std, self.squash)

    @classmethod
    def load(cls, folder: Path) -> "ModelConfig":
        """Read ``config.json``.

        Raises:
            InputError: If the folder has none or it is not a classifier's.
        """
        path = Path(folder) / "config.json"
        try:
            return cls(**json.loads(path.read_text()))
        except OSError as error:
            raise InputError(f"no classifier in {folder}: it has no config.json") from error
        except (TypeError, ValueError) as error:
            raise InputError(f"{path} is not a classifier's configuration: {error}") from error

    def save(self, folder: Path) -> None:
        """Write ``config.json``."""
        save_json(self, folder / "config.json")
