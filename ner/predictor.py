"""A token classifier with its preprocessing, without torch."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from common.paths import NER_MODEL
from common.runtime.session import open_model
from common.text.words import Word, paragraphs, split_words
from matching.claim import Mention
from matching.taxonomy import Taxonomy
from ner.decode import Entity, entities, mentions
from ner.labels import OUTPUTS
from ner.windows import Forward, Preprocess, word_probabilities


class Recognizer:
    """A token classifier with its preprocessing.

    Args:
        model: From a batch of `ner.preprocess.pad` to logits ``(B, T, L)``.
        preprocess: What the model was trained with.
    """

    def __init__(self, model: Forward, preprocess: Preprocess):
        self.model, self.preprocess = model, preprocess

    @classmethod
    def load(
        cls, folder: Path = NER_MODEL, device: str = "auto", taxonomy: Taxonomy | None = None
    ) -> "Recognizer":
        """Open a model folder.

        Args:
            folder: The model folder.
            device: ``auto``, ``cpu`` or ``cuda``.
            taxonomy: Knows the names of animals; the one that ships without it.

        Raises:
            InputError: If the folder holds no exported model.
        """
        session = open_model(folder, len(OUTPUTS), None, device)
        return cls(lambda batch: session(batch)["logits"], Preprocess.load(folder, taxonomy))

    def entities(self, texts: Sequence[str]) -> list[list[Entity]]:
        """The entities of each text, typed as MultiNERD does, in order of appearance."""
        return [entities(*parts) for parts in self._read(texts)]

    def mentions(self, texts: Sequence[str]) -> list[list[Mention]]:
        """The animals that each text names, in order of appearance."""
        return [mentions(*parts) for parts in self._read(texts)]

    def _read(self, texts: Sequence[str]) -> Iterator[tuple[str, list[Word], np.ndarray]]:
        """Run the model on texts: each with its words and their probabilities."""
        words = [split_words(text) for text in texts]
        parts = [paragraphs(*pair) for pair in zip(texts, words, strict=True)]
        flat = [[word.text for word in part] for of_text in parts for part in of_text]
        rows = iter(word_probabilities(self.model, self.preprocess, flat))
        whole = [np.concatenate([next(rows) for _ in of_text]) for of_text in parts]
        return zip(texts, words, whole, strict=True)
