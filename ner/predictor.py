"""A token classifier with its preprocessing, without torch."""

from collections.abc import Iterable, Sequence
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
        """Open a model folder, with the taxonomy that ships if there is no other.

        Raises:
            InputError: If the folder holds no exported model.
        """
        preprocess = Preprocess.load(folder, taxonomy)
        config = preprocess.config
        session = open_model(folder, len(config.outputs), config.weights, device)
        return cls(lambda batch: session(batch)["logits"], preprocess)

    def entities(self, texts: Sequence[str]) -> list[list[Entity]]:
        """Return the entities of each text, typed as MultiNERD does, in order of appearance."""
        read = map(self.normalise, texts)
        return [list(map(text.restore, entities(*self._read(text)))) for text in read]

    def normalise(self, text: str) -> NormalisedText:
        """Return a text as the model reads it; no hashtag is cut within a name."""
        return normalise(text, self.preprocess.taxonomy)

    def mentions(self, texts: Iterable[NormalisedText]) -> list[list[Mention]]:
        """Return the animals that each text names, in order, with offsets into what was read."""
        return [mentions(*self._read(text)) for text in texts]

    def _read(self, text: NormalisedText) -> tuple[str, list[Word], np.ndarray, ModelConfig]:
        """Run the model on a text, and return what `entities` and `mentions` decode."""
        words = split_words(text.text)
        parts = [[word.text for word in part] for part in paragraphs(text.text, words)]
        rows = np.concatenate(word_probabilities(self.model, self.preprocess, parts))
        return text.text, words, rows, self.preprocess.config
