"""What a classifier's folder says about itself in ``config.json``."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from common.config import check_values, save_json
from common.errors import InputError
from common.images.preprocess import INTERPOLATIONS, Preprocess
from matching.taxonomy import UNNAMED

DETECTORS = ("max_softmax", "energy", "odds")  # see `classifier.detectors`


def _number(low: float, high: float, kind: Any = int | float) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, kind) and not isinstance(v, bool) and low <= v <= high


def _three(low: float, high: float) -> Callable[[Any], bool]:
    return lambda v: len(v) == 3 and all(map(_number(low, high), v))


POSSIBLE: dict[str, Callable[[Any], bool]] = {  # values, see `check_values`
    "classes": lambda v: isinstance(v, list) and {*map(type, v)} == {str} and len({*v}) == len(v),
    "encoder": lambda v: isinstance(v, str),
    "resize": _number(1, 100_000, int),
    "crop": _number(1, 10_000, int),
    "mean": _three(-100, 100),
    "std": _three(1e-6, 100),
    "max_aspect": _number(1, 100),
    "interpolation": lambda v: v in INTERPOLATIONS,
    "imagenet": lambda v: isinstance(v, bool),
    "imagenet_margin": _number(-1000, 1000),
    "temperature": _number(1e-6, 1e6),
    "detector": lambda v: v in DETECTORS,
    "known_threshold": lambda v: v is None or _number(-1e6, 1e6)(v),
    "claim_threshold": _number(0, 1),
    "unknown_claim_threshold": _number(0, 1),
    "concept_threshold": _number(0, 1),
    "weights": lambda v: isinstance(v, str | None),
}


@dataclass(frozen=True)
class ModelConfig:
    """Encoder, heads, preprocessing and calibration of one classifier.

    Attributes:
        classes: Names in the order of the logits, with underscores; `UNNAMED` may be among them.
        encoder: See `common.encoders.image.create_image_encoder`; what follows is of `Preprocess`.
        imagenet: Whether the encoder's head over ImageNet has a say in what is no animal.
        imagenet_margin: Nats by which that head must prefer things to animals.
        temperature: Divides the logits (chosen on validation data).
        detector: Which of `DETECTORS` tells known photos from unknown ones.
        known_threshold: A photo whose score is lower shows none of the classes; None until export.
        claim_threshold: A concept with at least this probability is in the picture.
        unknown_claim_threshold: In its place, if higher, for photos that show none of the classes.
        concept_threshold: The most specific concept with at least this probability is the answer; a
            class or kind with as much rules out animals that are no class.
        weights: Fingerprint of ``model.safetensors``.
    """

    classes: Sequence[str]
    encoder: str
    resize: int
    crop: int
    mean: Sequence[float]
    std: Sequence[float]
    max_aspect: float
    interpolation: str
    imagenet: bool = False
    imagenet_margin: float = 3.0  # chosen on sources left out
    temperature: float = 1.0
    detector: str = "energy"
    known_threshold: float | None = None
    claim_threshold: float = 0.5
    unknown_claim_threshold: float = 0.5
    concept_threshold: float = 0.8
    weights: str | None = None

    @property
    def animals(self) -> list[str]:
        """The classes that name an animal."""
        return [name for name in self.classes if name not in UNNAMED]

    @property
    def preprocess(self) -> Preprocess:
        """The transform that belongs to the weights."""
        return Preprocess(**{f.name: getattr(self, f.name) for f in fields(Preprocess)})

    @classmethod
    def load(cls, folder: Path) -> "ModelConfig":
        """Read ``config.json``.

        Raises:
            InputError: If the folder has none, it is not a classifier's or a value is impossible.
        """
        path = Path(folder) / "config.json"
        try:
            values = json.loads(path.read_text())
            if "layers" in values:
                raise InputError(
                    f"{path} is of an older version: python models/migrate.py {folder}"
                )
            config = cls(**values)
        except OSError as error:
            raise InputError(f"no classifier in {folder}: it has no config.json") from error
        except (TypeError, ValueError) as error:
            raise InputError(f"{path} is not a classifier's configuration: {error}") from error
        check_values(values, POSSIBLE, path)
        return config

    def save(self, folder: Path) -> None:
        """Write ``config.json``."""
        save_json(self, folder / "config.json")
