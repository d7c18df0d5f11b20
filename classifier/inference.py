"""Name the animal in photos, on onnxruntime and without torch.

    python classifier/inference.py --image data/samples/raccoon.jpg
    python classifier/inference.py --folder photos --format csv --topk 3

Text format prints ``raccoon.jpg  raccoon 0.98`` for each photo, and says when a photo shows none of
the classes. ``json`` prints ``{"image", "known", "predictions": [{"label", "probability"}],
"error"}``. A photo that cannot be read is a row with an error; the exit code is then 3, or 2 if it
was the only one.
"""

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
from PIL import Image

from classifier.calibration import energy_score
from classifier.config import ModelConfig
from classifier.preprocess import Run, list_images, run_photos
from common import onnx
from common.cli import EXIT_ROWS_FAILED, ArgumentParser, run
from common.errors import InputError
from common.numeric import softmax
from common.paths import CLASSIFIER_MODEL


@dataclass(frozen=True)
class Prediction:
    """What the classifier says about one photo.

    Attributes:
        probabilities: For each class, most probable first.
        known: False when the photo shows none of the classes.
    """

    probabilities: dict[str, float]
    known: bool

    def top(self, count: int) -> list[tuple[str, float]]:
        """The most probable classes, rounded for output."""
        return [(k, round(v, 4)) for k, v in list(self.probabilities.items())[:count]]


class PhotoClassifier:
    """A classifier with its preprocessing and calibration.

    Args:
        model: From ``(B, 3, crop, crop)`` to logits ``(B, C)``.
        config: The model folder's configuration.
    """

    def __init__(self, model: Run, config: ModelConfig):
        self.model, self.config = model, config

    @classmethod
    def load(cls, folder: Path = CLASSIFIER_MODEL, device: str = "auto") -> "PhotoClassifier":
        """Open a model folder.

        Raises:
            InputError: If the folder holds no exported model.
        """
        config = ModelConfig.load(folder)
        model = onnx.load(folder, len(config.classes), device)
        return cls(lambda images: model({"images": images}), config)

    def predict(self, images: Sequence[Image.Image]) -> list[Prediction]:
        """Classify RGB images of any size."""
        inputs = np.stack([self.config.preprocess(image) for image in images])
        return [self.interpret(row) for row in self.model(inputs)]

    def predict_files(self, paths: Sequence[Path]) -> Iterator[Prediction | InputError]:
        """Classify files, one result for each in order; for an unreadable file it is the error."""
        for row in run_photos(self.model, self.config.preprocess, paths):
            yield row if isinstance(row, InputError) else self.interpret(row)

    def interpret(self, logits: np.ndarray) -> Prediction:
        """Calibrate the logits ``(C,)`` of one photo."""
        temperature = self.config.temperature
        probabilities = softmax(logits, temperature)
        known = energy_score(logits, temperature) >= self.config.known_threshold
        order = np.argsort(-probabilities, kind="stable")
        return Prediction(
            {self.config.classes[i]: float(probabilities[i]) for i in order}, bool(known)
        )


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--image", type=Path, nargs="+", metavar="FILE", help="image files")
    source.add_argument("--folder", type=Path, metavar="DIR", help="all images below a folder")
    parser.add_argument("--topk", type=int, default=1, metavar="K", help="classes to show (1)")
    parser.add_argument("--format", choices=("text", "json", "csv"), default="text")
    parser.add_model("--model", CLASSIFIER_MODEL)
    parser.add_device()
    return parser


def as_row(path: Path, result: Prediction | InputError, topk: int) -> dict[str, Any]:
    """One photo as the JSON output shows it."""
    if isinstance(result, InputError):
        return {"image": str(path), "known": None, "predictions": [], "error": str(result)}
    predictions = [{"label": k, "probability": v} for k, v in result.top(topk)]
    return {"image": str(path), "known": result.known, "predictions": predictions, "error": None}


def as_text(row: dict[str, Any]) -> str:
    """One photo as a line: the labels, most probable first."""
    if row["error"]:
        return f"{row['image']}  error: {row['error']}"
    labels = "  ".join(f"{p['label']} {p['probability']:.2f}" for p in row["predictions"])
    return f"{row['image']}  {labels}" + ("" if row["known"] else "  (none of the known classes)")


def main() -> int:
    """Print what each photo shows."""
    args = get_args_parser().parse_args()
    if args.topk < 1:
        raise InputError(f"--topk {args.topk}: must be at least 1")
    paths = list_images(args.folder) if args.folder else args.image
    classifier = PhotoClassifier.load(args.model, args.device)
    results = zip(paths, classifier.predict_files(paths), strict=True)
    if len(paths) == 1:  # nothing else to answer: the error is the outcome
        (path, result), *_ = results
        if isinstance(result, InputError):
            raise result
        results = iter([(path, result)])
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
