"""Both models and the decision: from pairs of text and photo to answers.

Example::

    from pipeline import Verifier

    verifier = Verifier.load()
    verifier.verify("There is a cow.", "photo.jpg").verdict.value       # True, False or None
    for answer in verifier.verify_many(pairs):                          # any iterable, any length
        print(answer.to_json())

A `Verifier` may be used from several threads at once.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from classifier.config import ModelConfig
from classifier.inference import PhotoClassifier, Prediction, animals_of
from classifier.preprocess import Source, load_image
from common.errors import InputError, text_error
from common.parallel import chunks, cores, ordered_map
from common.paths import CLASSIFIER_MODEL, NER_MODEL
from engine.memo import Memo
from matching.claims import Claim, Reader
from matching.verdict import Sighting, Verdict, decide

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

PAIR_COLUMNS = ("text", "image")
ANSWER_COLUMNS = {
    **{"text": str, "image": str, "answer": str, "verdict": bool, "reason": str},
    **{"animals": str, "predicted": str, "probability": float, "error": str},
}
CHUNK = 8  # pairs that are answered together; more take memory and save no time
TOP = 5  # classes that the JSON lists

Pair = tuple[str, Source]


@dataclass(frozen=True)
class Answer:
    """What came out for one pair; ``error`` is set and the rest None when it has no answer."""

    text: str
    image: str | None
    """The path as it was given, None for a photo that came otherwise."""
    verdict: Verdict | None = None
    prediction: Prediction | None = None
    error: str | None = None

    @property
    def answer(self) -> str | None:
        """``True`` or ``False``; undecided is ``False``."""
        return None if self.verdict is None else str(self.verdict.value is True)

    def to_json(self) -> dict[str, Any]:
        """The whole answer."""
        row: dict[str, Any] = {"text": self.text, "image": self.image}
        if self.verdict is None or self.prediction is None:
            empty = ("verdict", "answer", "reason", "explanation", "claims", "prediction")
            return row | dict.fromkeys(empty) | {"error": self.error}
        (label, probability), *_ = top = self.prediction.top(TOP)
        return row | {
            "verdict": self.verdict.value,
            "answer": self.answer,
            "reason": self.verdict.reason.value,
            "explanation": self.verdict.explanation,
            "claims": [claim.to_json() for claim in self.verdict.claims],
            "prediction": {
                "label": label,
                "probability": probability,
                "known": self.prediction.known,
                "concept": self.prediction.concept_as_json(),
                "top": top,
            },
            "error": None,
        }

    def to_row(self) -> dict[str, Any]:
        """The answer as one row of a table, by `ANSWER_COLUMNS`."""
        row = dict.fromkeys(ANSWER_COLUMNS) | {"text": self.text, "image": self.image}
        if self.verdict is None or self.prediction is None:
            return row | {"error": self.error}
        ((label, probability),) = self.prediction.top(1)
        claims = (judged.claim for judged in self.verdict.claims)
        animals = (f"{'no ' * claim.negated}{claim.animal or claim.mention}" for claim in claims)
        return row | {
            "answer": self.answer,
            "verdict": self.verdict.value,
            "reason": self.verdict.reason.value,
            "animals": "; ".join(animals),
            "predicted": label,
            "probability": probability,
        }


class _Row(NamedTuple):
    """A pair with the key of its photo: the path, or a number for a photo that has none."""

    text: str
    name: str | None
    photo: str


class _Job(NamedTuple):
    """Pairs that are answered together, and what of them no job before has computed."""

    rows: list[_Row]
    texts: list[str]
    photos: dict[str, Source]


class _Done(NamedTuple):
    """A job with what its texts claim, and the logits of its photos or why there are none."""

    rows: list[_Row]
    claims: dict[str, list[Claim]]
    logits: "dict[str, np.ndarray | InputError]"


class Verifier:
    """Both models and the taxonomy, ready to answer.

    Args:
        classifier: Reads photos.
        reader: Reads what a text claims.
        match: ``any`` or ``all``, see `matching.verdict.decide`.
        threads: How many batches `verify_many` works on at once; as many as cores if None.
    """

    def __init__(
        self,
        classifier: PhotoClassifier,
        reader: Reader,
        match: str = "any",
        threads: int | None = None,
    ):
        self.classifier, self.reader = classifier, reader
        self.match = match
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
            reader = Reader.load(ner, device, classes)
        return cls(photos.result(), reader, match, threads)

    def verify(self, text: str, image: Source) -> Answer:
        """Answer one pair.

        Args:
            text: What is said about the photo.
            image: A path, the bytes of a file, a Pillow image, or an array ``(H, W, 3)``, uint8.

        Raises:
            InputError: If the text is empty or the photo cannot be read.
        """
        (answer,) = self.verify_many([(text, image)])
        if answer.error:
            raise InputError(answer.error)
        return answer

    def verify_many(self, pairs: Iterable[Pair], folder: Path = Path()) -> Iterator[Answer]:
        """Answer pairs in order, as they come; what cannot be answered carries its error.

        However long the stream, memory stays the same, and each distinct text and path is read
        once. Pairs are taken in the caller's thread.

        Args:
            pairs: Text and photo of each, as `verify` takes them.
            folder: What relative paths are relative to.
        """
        with closing(Memo()) as claims, closing(Memo()) as logits:
            jobs = self._jobs(pairs, claims, logits, folder)
            for done in ordered_map(self._work, jobs, self.threads):
                for memo, computed in ((claims, done.claims), (logits, done.logits)):
                    for key, value in computed.items():
                        memo.put(key, value)
                for row in done.rows:
                    yield self._answer(row, claims.get(row.text), logits.get(row.photo))

    def _jobs(
        self, pairs: Iterable[Pair], claims: Memo, logits: Memo, folder: Path
    ) -> Iterator[_Job]:
        """Cut the stream into jobs."""
        unnamed = count()
        for chunk in chunks(pairs, CHUNK):
            rows, photos = [], {}
            for text, image in chunk:
                if isinstance(image, (str, Path)):
                    name = os.fspath(image)
                    key = image = os.path.join(folder, name)
                else:
                    name, key = None, f"\0{next(unnamed)}"  # no path has a zero
                rows.append(_Row(text, name, key))
                photos[key] = image
            texts = claims.missing(text for text, _ in chunk)
            yield _Job(rows, texts, {key: photos[key] for key in logits.missing(photos)})

    def _work(self, job: _Job) -> _Done:
        """Run both models on a job; this is what the threads do."""
        readable = [text for text in job.texts if not text_error(text)]
        claims: dict[str, list[Claim]] = {text: [] for text in job.texts}
        claims.update(zip(readable, self.reader.read(readable), strict=True))
        logits = self.classifier.logits(list(job.photos.values()))
        return _Done(job.rows, claims, dict(zip(job.photos, logits, strict=True)))

    def _answer(
        self, row: _Row, claims: Sequence[Claim], logits: "np.ndarray | InputError"
    ) -> Answer:
        error = text_error(row.text)
        if error is None and row.name is not None and not row.name.strip():
            error = "the image is empty; expected a path"
        if error is None and isinstance(logits, InputError):
            error = str(logits)
        if error is not None:
            return Answer(row.text, row.name, error=error)
        prediction = self.classifier.interpret(logits)
        return Answer(row.text, row.name, self.decide(claims, prediction), prediction)

    def decide(self, claims: Sequence[Claim], prediction: Prediction) -> Verdict:
        """The verdict on what a text claims and a photo shows."""
        return decide(
            claims,
            Sighting(animals_of(prediction.probabilities), prediction.known),
            self.reader.taxonomy,
            self.classifier.config.claim_threshold,
            self.match,
        )

    def explain(self, answer: Answer, image: Source) -> "Image.Image":
        """Draw an answer: the photo, where its animal was seen, the classes, and each claim.

        Args:
            answer: With a verdict.
            image: The photo that it is about.
        """
        lines = [f"“{answer.text}”"]
        for judged in answer.verdict.claims:
            outcome = {True: "holds", False: "does not hold", None: "undecided"}[judged.holds]
            mention = f"{'no ' * judged.claim.negated}{judged.claim.mention}"
            lines.append(f"{mention} {outcome}: {judged.explanation}")
        if not answer.verdict.claims:
            lines.append(answer.verdict.explanation)
        return self.classifier.explain(load_image(image), TOP, answer.answer, lines)
