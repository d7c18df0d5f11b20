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
from collections.abc import Iterable
from pathlib import Path
from typing import Any

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])


from classifier.predictor import PhotoClassifier, Prediction
from common.cli import EXIT_ROWS_FAILED, ArgumentParser, printable, run
from common.errors import InputError
from common.images.load import list_images, load_image
from common.paths import CLASSIFIER_MODEL
from engine.options import add_explain


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--image", type=Path, nargs="+", metavar="FILE", help="image files")
    source.add_argument("--folder", type=Path, metavar="DIR", help="all images below a folder")
    parser.add_argument("--topk", type=int, default=1, metavar="K", help="classes to show (1)")
    parser.add_argument("--format", choices=("text", "json", "csv"), default="text")
    add_explain(parser)
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
    if row["concept"] and row["concept"]["probability"] > row["predictions"][0]["probability"]:
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
            print(printable(as_text(row)))
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
