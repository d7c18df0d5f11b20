"""Does the picture show the animal that the text names?

    python pipeline.py --text "There is a cow in the picture." --image photo.jpg
    python pipeline.py --text "No cats here, only dogs." --image photo.jpg --format json
    python pipeline.py --text "A raccoon." --image photo.jpg --explain why.png
    python pipeline.py --pairs pairs.csv --output answers.csv      # columns text,image
    python pipeline.py --list-animals

prints True or False; what cannot be decided prints False and says so on stderr. Exit codes: 0
answered, 2 bad usage or input, 3 a batch finished with failed rows; with --exit-code 0 is true and
10 is false.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.inference import PhotoClassifier, Prediction, animals_of
from classifier.preprocess import load_image
from common.cli import EXIT_FALSE, EXIT_ROWS_FAILED, ArgumentParser, checked_text, run
from common.errors import InputError
from common.paths import CLASSIFIER_MODEL, NER_MODEL
from matching.claims import Claim, Reader
from matching.taxonomy import Taxonomy
from matching.verdict import MATCHES, Sighting, Verdict, decide

if TYPE_CHECKING:
    from PIL import Image

PAIR_COLUMNS = ("text", "image")
ANSWER_COLUMNS = (
    *PAIR_COLUMNS,
    *("answer", "verdict", "reason", "animals", "predicted", "probability", "error"),
)
CHUNK = 64  # pairs that are answered together
TOP = 5  # classes that the JSON lists


@dataclass(frozen=True)
class Answer:
    """What came out for one pair; ``error`` is set and the rest None when it has no answer."""

    text: str
    image: str
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
        """The answer as one row of a table."""
        full = self.to_json()
        prediction = full["prediction"] or {}
        animals = [
            f"{'no ' if claim['negated'] else ''}{claim['animal'] or claim['mention']}"
            for claim in full["claims"] or ()
        ]
        return {
            "text": self.text,
            "image": self.image,
            "answer": full["answer"],
            "verdict": full["verdict"],
            "reason": full["reason"],
            "animals": "; ".join(animals),
            "predicted": prediction.get("label"),
            "probability": prediction.get("probability"),
            "error": self.error,
        }


class Verifier:
    """Both models and the taxonomy, ready to answer.

    Args:
        classifier: Reads photos.
        reader: Reads what a text claims.
        match: ``any`` or ``all``, see `matching.verdict.decide`.
    """

    def __init__(self, classifier: PhotoClassifier, reader: Reader, match: str = "any"):
        self.classifier, self.reader = classifier, reader
        self.match = match

    @classmethod
    def load(
        cls,
        classifier: Path = CLASSIFIER_MODEL,
        ner: Path = NER_MODEL,
        match: str = "any",
        device: str = "auto",
    ) -> "Verifier":
        """Open the model folders.

        Raises:
            InputError: If a folder holds no exported model.
        """
        photos = PhotoClassifier.load(classifier, device)
        return cls(photos, Reader.load(ner, device, photos.config.animals), match)

    def verify(self, text: str, image: Path | str) -> Answer:
        """Answer one pair.

        Raises:
            InputError: If the text is empty or the photo cannot be read.
        """
        (answer,) = self.verify_many([(text, str(image))])
        if answer.error:
            raise InputError(answer.error)
        return answer

    def verify_many(
        self, pairs: Iterable[tuple[str, str]], folder: Path = Path()
    ) -> Iterator[Answer]:
        """Answer pairs in order; what cannot be answered carries its error.

        Args:
            pairs: Text and image path of each.
            folder: What relative image paths are relative to.
        """
        pairs = iter(pairs)
        while chunk := list(islice(pairs, CHUNK)):
            texts = list(dict.fromkeys(text for text, _ in chunk))
            images = list(dict.fromkeys(image for _, image in chunk))
            claims = dict(zip(texts, self.reader.read(texts), strict=True))
            paths = [folder / image for image in images]
            seen = dict(zip(images, self.classifier.predict_files(paths), strict=True))
            for text, image in chunk:
                prediction = seen[image]
                if not text.strip():
                    yield Answer(text, image, error="the text is empty; expected a sentence")
                elif isinstance(prediction, InputError):
                    yield Answer(text, image, error=str(prediction))
                else:
                    yield Answer(text, image, self.decide(claims[text], prediction), prediction)

    def explain(self, answer: Answer, folder: Path = Path()) -> "Image.Image":
        """Draw an answer: the photo, where its animal was seen, the classes, and each claim.

        Args:
            answer: With a verdict.
            folder: What its image path is relative to.
        """
        lines = [f"“{answer.text}”"]
        for judged in answer.verdict.claims:
            outcome = {True: "holds", False: "does not hold", None: "undecided"}[judged.holds]
            mention = f"{'no ' * judged.claim.negated}{judged.claim.mention}"
            lines.append(f"{mention} {outcome}: {judged.explanation}")
        if not answer.verdict.claims:
            lines.append(answer.verdict.explanation)
        photo = load_image(folder / answer.image)
        return self.classifier.explain(photo, TOP, answer.answer, lines)

    def decide(self, claims: Sequence[Claim], prediction: Prediction) -> Verdict:
        """The verdict on what a text claims and a photo shows."""
        return decide(
            claims,
            Sighting(animals_of(prediction.probabilities), prediction.known),
            self.reader.taxonomy,
            self.classifier.config.claim_threshold,
            self.match,
        )


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_argument("--text", help="what is said about the picture")
    parser.add_argument(
        "--image", "--image-path", "--image_path", dest="image", metavar="FILE", help="the picture"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument(
        "--pairs", type=Path, metavar="FILE", help="csv, tsv or jsonl with columns text,image"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="where the answers go: csv, tsv or jsonl"
    )
    parser.add_argument("--resume", action="store_true", help="skip what --output already holds")
    parser.add_explain()
    parser.add_argument("--list-animals", action="store_true", help="classes and their names")
    parser.add_argument(
        "--match",
        choices=MATCHES,
        default="any",
        help="any: one named animal is there; all: every claim holds (default: any)",
    )
    parser.add_argument("--exit-code", action="store_true", help="exit with 0 for true, 10 else")
    parser.add_model("--classifier-model", CLASSIFIER_MODEL)
    parser.add_model("--ner-model", NER_MODEL)
    parser.add_device()
    return parser


def main() -> int:
    """Answer one pair or a file of pairs."""
    parser = get_args_parser()
    args = parser.parse_args()
    single, batch = (args.text, args.image), (args.pairs, args.output)
    if args.list_animals:
        return list_animals(args.classifier_model)
    if any(value is not None for value in batch):
        if None in batch or any(value is not None for value in (*single, args.explain)):
            parser.error("a batch needs --pairs and --output, without --text, --image, --explain")
        verifier = Verifier.load(args.classifier_model, args.ner_model, args.match, args.device)
        return answer_file(verifier, args.pairs, args.output, args.resume)
    if None in single:
        parser.error("needs --text and --image, or --pairs and --output, or --list-animals")
    checked_text(args.text)
    verifier = Verifier.load(args.classifier_model, args.ner_model, args.match, args.device)
    answer = verifier.verify(args.text, args.image)
    if args.explain:
        from classifier.explain import save_picture

        save_picture(verifier.explain(answer), args.explain)
    if args.format == "json":
        print(json.dumps(answer.to_json(), ensure_ascii=False))
    else:
        print(answer.answer)
    if answer.verdict.value is None:
        print(f"undecided: {answer.verdict.explanation}", file=sys.stderr)
    return EXIT_FALSE if args.exit_code and answer.answer == "False" else 0


def list_animals(folder: Path) -> int:
    """Print every class with the names it answers to."""
    from classifier.config import ModelConfig

    for label, names in Taxonomy.load().names_for_classes(ModelConfig.load(folder).animals).items():
        print(f"{label}: {', '.join(names)}")
    return 0


def answer_file(verifier: Verifier, pairs: Path, output: Path, resume: bool) -> int:
    """Answer a table of pairs, row by row in order.

    Raises:
        InputError: If a table cannot be read or written, or ``output`` exists without ``resume``.
    """
    from tqdm import tqdm

    from common.tables import delimiter, drop_broken_end, open_table, read_rows

    delimiter(output)
    rows = read_rows(pairs, PAIR_COLUMNS)
    first = list(islice(rows, 1))  # a table that cannot be read leaves the output alone
    todo = ((row["text"], row["image"]) for row in chain(first, rows))
    done = 0
    if output.exists():
        if not resume:
            raise InputError(f"{output} exists; add --resume to go on, or name another file")
        drop_broken_end(output)
        if output.stat().st_size:
            for done, row in enumerate(read_rows(output, ANSWER_COLUMNS), 1):
                if (row["text"], row["image"]) != next(todo, None):
                    raise InputError(f"{output}: row {done} is not of {pairs}; name another file")
    answers = verifier.verify_many(todo, pairs.parent)
    failed = 0
    with (
        open_table(output, ANSWER_COLUMNS, append=done > 0) as write,
        tqdm(unit=" pairs", initial=done, disable=None) as bar,
    ):
        while chunk := list(islice(answers, CHUNK)):
            write([answer.to_row() for answer in chunk])
            failed += sum(answer.error is not None for answer in chunk)
            bar.update(len(chunk))
    if failed:
        print(f"{failed} rows could not be answered, see the column error", file=sys.stderr)
    return EXIT_ROWS_FAILED if failed else 0


if __name__ == "__main__":
    run(main)
