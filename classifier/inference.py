"""Name the animal in photos, on onnxruntime and without torch.

    python classifier/inference.py --image data/samples/raccoon.jpg
    python classifier/inference.py --folder photos --format csv --topk 3
    python classifier/inference.py --image data/samples/raccoon.jpg --explain why.png

Text format prints ``raccoon.jpg  raccoon 0.98`` for each photo, ``leopard 0.52  (big cat 0.97)``
where it is only sure of a group, and says when a photo shows none of the classes. ``json`` prints
``{"image", "known", "predictions": [{"label", "probability"}], "concept": {"name", "probability"},
"error"}``. A photo that cannot be read is a row with an error; the exit code is then 3, or 2 if it
was the only one.
"""

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
from PIL import Image

from classifier.calibration import known_score
from classifier.config import NOT_ANIMAL, ModelConfig
from classifier.preprocess import Run, Source, list_images, load_image, run_photos
from common import onnx
from common.cli import EXIT_ROWS_FAILED, ArgumentParser, run
from common.errors import InputError
from common.numeric import softmax
from common.paths import CLASSIFIER_MODEL
from matching.taxonomy import Taxonomy

SURE = 0.8  # probability from which a concept is the answer; below, the next higher one is asked


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
        maps: From the same to class activation maps ``(B, C, h, w)``.
        config: The model folder's configuration.
        taxonomy: Knows the groups that the classes belong to.
    """

    def __init__(self, model: Run, maps: Run, config: ModelConfig, taxonomy: Taxonomy):
        self.model, self.maps, self.config = model, maps, config
        self.taxonomy = taxonomy.with_classes(config.animals)

    @classmethod
    def load(cls, folder: Path = CLASSIFIER_MODEL, device: str = "auto") -> "PhotoClassifier":
        """Open a model folder.

        Raises:
            InputError: If the folder holds no exported model.
        """
        config = ModelConfig.load(folder)
        model = onnx.load(folder, len(config.classes), device)
        return cls(
            lambda images: model({"images": images}),
            lambda images: model({"images": images}, "maps"),
            config,
            Taxonomy.load(),
        )

    def logits(
        self, photos: Sequence[Source], threads: int | None = 1
    ) -> Iterator[np.ndarray | InputError]:
        """What the model makes of photos: logits ``(C,)`` or why one cannot be read, in order.

        Args:
            photos: Paths or images.
            threads: How many batches are worked on at once; as many as cores if None.
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
        known = known_score(logits, self.config) >= self.config.known_threshold
        concept = self.taxonomy.surest(animals_of(probabilities), SURE)
        return Prediction(probabilities, bool(known), concept)

    def explain(
        self, image: Image.Image, bars: int = 5, answer: str = "", lines: Sequence[str] = ()
    ) -> Image.Image:
        """Draw where the most probable class was seen, and how sure that is.

        Args:
            image: An RGB image of any size.
            bars: How many classes to show.
            answer: Printed large, if there is one.
            lines: What else there is to say.
        """
        from classifier.explain import activation_overlay, draw_explanation

        inputs = self.config.preprocess(image)[None]
        (logits,), (maps,) = self.model(inputs), self.maps(inputs)
        evidence = maps - maps.mean(axis=0)  # against the average class, whose logit means nothing
        prediction = self.interpret(logits)
        (label, _), *_ = top = prediction.top(bars)
        box = self.config.preprocess.box(*image.size)
        photo = activation_overlay(image, box, evidence[self.config.classes.index(label)])
        return draw_explanation(photo, top, answer, lines)


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--image", type=Path, nargs="+", metavar="FILE", help="image files")
    source.add_argument("--folder", type=Path, metavar="DIR", help="all images below a folder")
    parser.add_argument("--topk", type=int, default=1, metavar="K", help="classes to show (1)")
    parser.add_argument("--format", choices=("text", "json", "csv"), default="text")
    parser.add_explain()
    parser.add_model("--model", CLASSIFIER_MODEL)
    parser.add_device()
    return parser


def as_row(path: Path, result: Prediction | InputError, topk: int) -> dict[str, Any]:
    """One photo as the JSON output shows it."""
    row: dict[str, Any] = {"image": str(path), "known": None, "predictions": [], "concept": None}
    if isinstance(result, InputError):
        return row | {"error": str(result)}
    row["known"] = result.known
    row["predictions"] = [{"label": k, "probability": v} for k, v in result.top(topk)]
    return row | {"concept": result.concept_as_json(), "error": None}


def as_text(row: dict[str, Any]) -> str:
    """One photo as a line: the labels, most probable first."""
    if row["error"]:
        return f"{row['image']}  error: {row['error']}"
    labels = "  ".join(f"{p['label']} {p['probability']:.2f}" for p in row["predictions"])
    line = f"{row['image']}  {labels}"
    if not row["known"]:
        return line + "  (none of the known classes)"
    if row["concept"] and row["predictions"][0]["probability"] < SURE:
        line += f"  ({row['concept']['name']} {row['concept']['probability']:.2f})"
    return line


def main() -> int:
    """Print what each photo shows."""
    args = get_args_parser().parse_args()
    if args.topk < 1:
        raise InputError(f"--topk {args.topk}: must be at least 1")
    paths = list_images(args.folder) if args.folder else args.image
    if args.explain and len(paths) > 1:
        raise InputError(f"--explain: one picture for one photo, not for {len(paths)}")
    classifier = PhotoClassifier.load(args.model, args.device)
    results = zip(paths, classifier.predict(paths), strict=True)
    if len(paths) == 1:  # nothing else to answer: the error is the outcome
        (path, result), *_ = results
        if isinstance(result, InputError):
            raise result
        results = iter([(path, result)])
    if args.explain:
        from classifier.explain import save_picture

        save_picture(classifier.explain(load_image(path), max(args.topk, 5)), args.explain)
    failed = write(results, args.format, args.topk)
    return EXIT_ROWS_FAILED if failed else 0


def write(results: Iterable[tuple[Path, Prediction | InputError]], format: str, topk: int) -> int:
    """Print results as they come; JSON is a list when there are several photos.

    Returns:
        The number of photos that could not be read.
    """
    writer = csv.writer(sys.stdout)
    if format == "csv":
        writer.writerow(["image", "known", "rank", "label", "probability", "error"])
    failed, rows = 0, []
    for path, result in results:
        row = as_row(path, result, topk)
        failed += row["error"] is not None
        if format == "text":
            print(as_text(row))
        elif format == "csv":
            empty = {"label": "", "probability": ""}
            for rank, p in enumerate(row["predictions"] or [empty], 1):
                values = rank, p["label"], p["probability"], row["error"] or ""
                writer.writerow([row["image"], row["known"], *values])
        else:
            rows.append(row)
    if format == "json":
        print(json.dumps(rows if len(rows) != 1 else rows[0], ensure_ascii=False, indent=1))
    return failed


if __name__ == "__main__":
    run(main)
