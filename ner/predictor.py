"""A token classifier with its preprocessing, without torch."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from common.paths import NER_MODEL
from common.runtime.session import open_model
from common.text.normalise import NormalisedText, normalise
from common.text.words import Word, paragraphs, split_words
from matching.claim import Mention
from matching.taxonomy import Taxonomy
from ner.config import ModelConfig
from ner.decode import Entity, entities, mentions
from ner.windows import Forward, Preprocess, word_probabilities


class Recognizer:
    """A token classifier with its preprocessing.

    Args:
        model: From a batch of `ner.windows.pad` to logits ``(B, T, L)``.
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
        preprocess = Preprocess.load(folder, taxonomy)
        config = preprocess.config
        session = open_model(folder, len(config.outputs), config.weights, device)
        return cls(lambda batch: session(batch)["logits"], preprocess)

    def entities(self, texts: Sequence[str]) -> list[list[Entity]]:
        """Return the entities of each text, typed as MultiNERD does, in order of appearance."""
        read = [normalise(text) for text in texts]
        found = (entities(*parts) for parts in self._read([text.text for text in read]))
        return [list(map(text.restore, row)) for text, row in zip(read, found, strict=True)]

    def mentions(self, texts: Sequence[NormalisedText]) -> list[list[Mention]]:
        """Return the animals that each text names, in order, with offsets into what was read."""
        return [mentions(*parts) for parts in self._read([text.text for text in texts])]

    def _read(
        self, texts: Sequence[str]
    ) -> Iterator[tuple[str, list[Word], np.ndarray, ModelConfig]]:
        """Run the model on texts: what `entities` and `mentions` decode of each."""
        words = [split_words(text) for text in texts]
        parts = [paragraphs(*pair) for pair in zip(texts, words, strict=True)]
        flat = [[word.text for word in part] for of_text in parts for part in of_text]
        rows = iter(word_probabilities(self.model, self.preprocess, flat))
        for text, of_text, groups in zip(texts, words, parts, strict=True):
            probabilities = np.concatenate([next(rows) for _ in groups])
            yield text, of_text, probabilities, self.preprocess.config
