"""Where things are: the repository's models and samples, and the training data."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CLASSIFIER_MODEL = ROOT / "models/classifier"
NER_MODEL = ROOT / "models/ner"


def data_root() -> Path:
    """The folder with the training data: the setting ``FAUNACHECK_DATA``."""
    return Path(os.environ.get("FAUNACHECK_DATA", ROOT.parent / "shared/data"))


def cache_root() -> Path:
    """The folder of what can be computed again: ``FAUNACHECK_CACHE``, or in the user's cache."""
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("FAUNACHECK_CACHE") or user / "faunacheck")
