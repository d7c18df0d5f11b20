"""A classifier with its preprocessing and calibration, without torch."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from classifier.config import ModelConfig
from classifier.detectors import is_known
from common.errors import InputError
from common.images.batches import Forward, run_photos
from common.images.load import Source
from common.numeric import softmax
from common.paths import CLASSIFIER_MODEL
from common.runtime.session import open_model
from matching.taxonomy import NOT_ANIMAL, Taxonomy

WithMaps = Callable[[np.ndarray], Sequence[np.ndarray]]


def animals_of(probabilities: Mapping[str, float]) -> dict[str, float]:
    """The probabilities of classes without that of no animal at all."""
    return {label: share for label, share in probabilities.items() if label != NOT_ANIMAL}


@dataclass(frozen=True)
class Prediction:
    """What the classifier says about one photo.

    Attributes:
        probabilities: For each class, most probable first.
        known: False when the photo shows none of the animals that the classifier names.
        concept: The most specific kind of animal that the photo surely shows, with its probability;
            None when it is not even sure of an animal.
    """

    probabilities: dict[str, float]
    known: bool
    concept: tuple[str, float] | None

    def top(self, count: int) -> list[tuple[str, float]]:
        """The most probable classes, rounded for output."""
        return [(k, round(v, 4)) for k, v in list(self.probabilities.items())[:count]]

    def concept_as_json(self) -> dict[str, Any] | None:
        """The concept as JSON shows it."""
        if self.concept is None:
            return None
        name, probability = self.concept
        return {"name": name, "probability": round(probability, 4)}


class PhotoClassifier:
    """A classifier with its preprocessing and calibration.

    Args:
        model: From ``(B, 3, crop, crop)`` to logits ``(B, C)``.
        maps: From the same to logits and class activation maps ``(B, C, h, w)``.
        config: The model folder's configuration.
        taxonomy: Knows the groups that the classes belong to.
    """

    def __init__(self, model: Forward, maps: WithMaps, config: ModelConfig, taxonomy: Taxonomy):
        self.model, self.with_maps, self.config = model, maps, config
        self.taxonomy = taxonomy.with_classes(config.animals)

    @classmethod
    def load(cls, folder: Path = CLASSIFIER_MODEL, device: str = "auto") -> "PhotoClassifier":
        """Open a model folder.

        Raises:
            InputError: If the folder holds no exported model.
        """
        config = ModelConfig.load(folder)
        session = open_model(folder, len(config.classes), config.weights, device)
        return cls(
            lambda images: session({"images": images})["logits"],
            lambda images: list(session({"images": images}, ["logits", "maps"]).values()),
            config,
            Taxonomy.load(),
        )

    def logits(
        self, photos: Sequence[Source], threads: int | None = 1
    ) -> Iterator[np.ndarray | InputError]:
        """What the model makes of photos: logits ``(C,)`` or why one cannot be read, in order.

        As many batches are worked on at once as there are ``threads``, or cores if None.
        """
        return run_photos(self.model, self.config.preprocess, photos, threads=threads)

    def predict(self, photos: Sequence[Source]) -> Iterator[Prediction | InputError]:
        """Classify photos on all cores, one result for each in order."""
        for row in self.logits(photos, None):
            yield row if isinstance(row, InputError) else self.interpret(row)

    def interpret(self, logits: np.ndarray) -> Prediction:
        """Calibrate the logits ``(C,)`` of one photo."""
        shares = softmax(logits, self.config.temperature)
        order = np.argsort(-shares, kind="stable")
        probabilities = {self.config.classes[i]: float(shares[i]) for i in order}
        sure = self.config.concept_threshold
        concept = self.taxonomy.most_specific(animals_of(probabilities), sure)
        return Prediction(probabilities, bool(is_known(logits, self.config)), concept)

    def explain(
        self, image: Image.Image, bars: int = 5, answer: str = "", lines: Sequence[str] = ()
    ) -> Image.Image:
        """Draw where in an RGB image the most probable class was seen, and how sure that is.

        See `classifier.explain.draw_explanation`, for which ``bars`` says how many classes to show.
        """
        from classifier.explain import activation_overlay, draw_explanation  # draws: slow to load

        inputs = self.config.preprocess(image)[None]
        (logits,), (maps,) = self.with_maps(inputs)
        evidence = maps - maps.mean(axis=0)  # against the average class, whose logit means nothing
        prediction = self.interpret(logits)
        (label, _), *_ = top = prediction.top(bars)
        box = self.config.preprocess.box(*image.size)
        photo = activation_overlay(image, box, evidence[self.config.classes.index(label)])
        return draw_explanation(photo, top, answer, lines)
