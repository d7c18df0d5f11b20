"""Options of the commands that answer: pipeline.py, service.py and app.py."""

from argparse import ArgumentTypeError
from pathlib import Path

from common.cli import ArgumentParser
from common.paths import CLASSIFIER_MODEL, NER_MODEL


def add_models(parser: ArgumentParser) -> None:
    """Add the folders of both models and ``--device``."""
    parser.add_model("--classifier-model", CLASSIFIER_MODEL)
    parser.add_model("--ner-model", NER_MODEL)
    parser.add_device()


def png_file(name: str) -> Path:
    """Return the path of a picture to write, for ``--explain``."""
    if not name.lower().endswith(".png"):
        raise ArgumentTypeError(f"{name}: expected a file name that ends in .png")
    return Path(name)


def add_explain(parser: ArgumentParser) -> None:
    """Add ``--explain``."""
    parser.add_argument(
        "--explain",
        type=png_file,
        metavar="FILE.png",
        help="draw the photo, where the animal was seen, and how sure that is",
    )
