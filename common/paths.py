"""Where things are: the repository's models and samples, and the training data."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CLASSIFIER_MODEL = ROOT / "models/classifier"
NER_MODEL = ROOT / "models/ner"


def data_root() -> Path:
    """The folder with the training data: the setting ``FAUNACHECK_DATA``."""
    return Path(os.environ.get("FAUNACHECK_DATA", ROOT.parent / "shared/data"))
