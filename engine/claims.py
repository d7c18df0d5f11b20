"""Read what texts claim about animals."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from common.paths import NER_MODEL
from matching.claim import Claim
from matching.resolve import claims_of
from matching.taxonomy import Taxonomy
from ner.predictor import Recognizer


class ClaimExtractor:
    """Read claims: the recogniser finds mentions and polarity, the taxonomy their concepts."""

    def __init__(self, recognizer: Recognizer, taxonomy: Taxonomy):
        self.recognizer, self.taxonomy = recognizer, taxonomy

    @classmethod
    def load(
        cls, folder: Path = NER_MODEL, device: str = "auto", classes: Iterable[str] = ()
    ) -> "ClaimExtractor":
        """Open a recogniser's model folder; the names of a classifier's labels are animals, too.

        Raises:
            InputError: If the folder holds no exported model.
        """
        taxonomy = Taxonomy.load().with_classes(classes)
        return cls(Recognizer.load(folder, device, taxonomy), taxonomy)

    def read(self, texts: Sequence[str]) -> list[list[Claim]]:
        """Return the claims of each text, in order of appearance."""
        read = [self.recognizer.normalise(text) for text in texts]
        return [
            [text.restore(claim, "mention") for claim in claims_of(text.text, found, self.taxonomy)]
            for text, found in zip(read, self.recognizer.mentions(read), strict=True)
        ]
