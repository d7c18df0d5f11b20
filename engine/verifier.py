"""Both models and the decision: from pairs of text and photo to answers.

Example::

    from pipeline import Verifier

    verifier = Verifier.load()
    verifier.verify("There is a cow.", "photo.jpg").verdict.value       # True, False or None
    for answer in verifier.verify_many(pairs):                          # any iterable, any length
        print(answer.to_json())

A `Verifier` may be used from several threads at once.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from classifier.config import ModelConfig
from classifier.predictor import PhotoClassifier, Prediction, animals_of
from common.errors import InputError
from common.images.load import Source, load_image
from common.pairs.stream import Answering
from common.parallel import cores
from common.paths import CLASSIFIER_MODEL, NER_MODEL
from common.text.language import foreign_language
from engine.answer import ANSWER_COLUMNS, TOP, Answer
from engine.claims import ClaimExtractor
from matching.claim import Claim
from matching.verdict import ImageEvidence, Verdict, decide, unreadable


class Verifier(Answering):
    """Both models and the taxonomy, ready to answer; a `common.pairs.model.PairModel`.

    Args:
        classifier: Reads photos.
        extractor: Reads what a text claims.
        match: ``any`` or ``all``, see `matching.verdict.decide`.
        threads: How many batches `verify_many` works on at once; as many as cores if None.
    """

    columns = ANSWER_COLUMNS

    def __init__(
        self,
        classifier: PhotoClassifier,
        extractor: ClaimExtractor,
        match: str = "any",
        threads: int | None = None,
    ):
        self.classifier, self.extractor, self.match = classifier, extractor, match
        self.threads = threads or cores()

    @classmethod
    def load(
        cls,
        classifier: Path = CLASSIFIER_MODEL,
        ner: Path = NER_MODEL,
        match: str = "any",
        device: str = "auto",
        threads: int | None = None,
    ) -> "Verifier":
        """Open the model folders, side by side.

        Raises:
            InputError: If a folder holds no exported model.
        """
        classes = ModelConfig.load(classifier).animals
        with ThreadPoolExecutor(1) as pool:
            photos = pool.submit(PhotoClassifier.load, classifier, device)
            extractor = ClaimExtractor.load(ner, device, classes)
        return cls(photos.result(), extractor, match, threads)

    def read_texts(self, texts: Sequence[str]) -> list[list[Claim]]:
        """Return the claims of each text."""
        return self.extractor.read(texts)

    def read_photos(self, photos: Sequence[Source]) -> Iterator[np.ndarray | InputError]:
        """Return the logits ``(C,)`` of each photo, or why it cannot be read."""
        return self.classifier.logits(photos)

    def answer(
        self, text: str, image: str | None, said: Sequence[Claim], shown: np.ndarray
    ) -> Answer:
        """Return the answer to a pair, from its claims and logits ``(C,)``."""
        prediction = self.classifier.interpret(shown)
        language = foreign_language(text)
        verdict = unreadable(language) if language else self.decide(said, prediction)
        return Answer(text, image, verdict, prediction)

    def failure(self, text: str, image: str | None, error: str) -> Answer:
        """Return the answer to a pair that has none."""
        return Answer(text, image, error=error)

    def animals(self) -> dict[str, list[str]]:
        """Return every class with the names it answers to."""
        return self.extractor.taxonomy.names_for_classes(self.classifier.config.animals)

    def decide(self, claims: Sequence[Claim], prediction: Prediction) -> Verdict:
        """Return the verdict on what a text claims and a photo shows."""
        seen = ImageEvidence(animals_of(prediction.probabilities), prediction.known)
        taxonomy, config = self.extractor.taxonomy, self.classifier.config
        usual, unknown = config.claim_threshold, config.unknown_claim_threshold
        sure = config.concept_threshold
        return decide(claims, seen, taxonomy, usual, self.match, unknown, sure)

    def explain(self, answer: Answer, image: Source) -> Image.Image:
        """Draw an answer with a verdict: where its animal was seen, the classes and the claims."""
        lines = [f"“{answer.text}”"]
        for judged in answer.verdict.claims:
            outcome = {True: "holds", False: "does not hold", None: "undecided"}[judged.holds]
            mention = f"{'no ' * judged.claim.negated}{judged.claim.mention}"
            lines.append(f"{mention} {outcome}: {judged.explanation}")
        if not answer.verdict.claims:
            lines.append(answer.verdict.explanation)
        return self.classifier.explain(load_image(image), TOP, answer.answer, lines)
