"""Logits of labelled photos."""

import sys
from collections.abc import Sequence

import numpy as np

from classifier.config import ModelConfig
from classifier.data import Photo
from common.errors import InputError
from common.images.batches import Forward, run_photos


def photo_logits(
    model: Forward, config: ModelConfig, photos: Sequence[Photo]
) -> tuple[np.ndarray, np.ndarray, list[Photo]]:
    """Logits and labels of photos.

    Args:
        model: From a batch to logits.
        config: Names the classes and the preprocessing.
        photos: Unreadable ones are reported on stderr and left out.

    Returns:
        Logits ``(N, C)``, class indices ``(N,)`` (-1 for labels that are no class) and N photos.

    Raises:
        InputError: If none can be read.
    """
    index = {name: i for i, name in enumerate(config.classes)}
    logits, targets, read = [], [], []
    paths = [photo.path for photo in photos]
    for photo, row in zip(photos, run_photos(model, config.preprocess, paths), strict=True):
        if isinstance(row, InputError):
            print(f"skipped: {row}", file=sys.stderr)
        else:
            logits.append(row)
            targets.append(index.get(photo.label, -1))
            read.append(photo)
    if not logits:
        raise InputError(f"none of {len(photos)} photos can be read")
    return np.stack(logits), np.array(targets), read


def sources_of(photos: Sequence[Photo]) -> list[str]:
    """Return what intervals resample: the source of each photo, or the photo where it has none."""
    return [photo.source or str(photo.path) for photo in photos]


def class_columns(config: ModelConfig, classes: Sequence[str]) -> list[int]:
    """Return where some classes are among the logits.

    Raises:
        InputError: If the model has not all of them.
    """
    if missing := sorted(set(classes) - set(config.classes)):
        raise InputError(f"--classes: the model has no class {', '.join(missing)}")
    return [config.classes.index(name) for name in classes]
