"""Features of many photos, kept on disk by the content of the photo and the encoder."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from common.errors import InputError
from common.images.batches import Forward, run_photos
from common.images.preprocess import Preprocess
from common.paths import cache_root


def cached_features(
    model: Forward, preprocess: Preprocess, encoder: str, photos: Sequence[Path]
) -> list[np.ndarray | InputError]:
    """Return the features ``(D,)`` of each photo, or why it cannot be read.

    Only photos that are not in the cache are read as images and go through the model, each once.

    Args:
        model: From ``(B, 3, crop, crop)`` to ``(B, D)``, in torch or onnxruntime.
        preprocess: The encoder's.
        encoder: Fingerprint of what ``model`` runs: a file of weights or an exported model.
        photos: Files.
    """
    kind = hashlib.sha256(f"{encoder} {preprocess}".encode()).hexdigest()
    folder = cache_root() / "features" / kind
    folder.mkdir(parents=True, exist_ok=True)
    kept = [_file_for(photo, folder) for photo in photos]
    missing = {
        file: photo
        for file, photo in zip(kept, photos, strict=True)
        if isinstance(file, Path) and not file.exists()
    }
    failed = {}
    rows = run_photos(model, preprocess, list(missing.values()))
    for file, row in zip(missing, rows, strict=True):
        if isinstance(row, InputError):
            failed[file] = row
        else:
            partial = file.with_suffix(".tmp")
            with partial.open("wb") as stream:
                np.save(stream, row)
            partial.replace(file)  # never half a row
    return [
        file if isinstance(file, InputError) else failed.get(file) or np.load(file) for file in kept
    ]


def _file_for(photo: Path, folder: Path) -> Path | InputError:
    try:
        with photo.open("rb") as file:
            return folder / f"{hashlib.file_digest(file, 'sha256').hexdigest()}.npy"
    except OSError as error:
        return InputError(f"{photo}: {error.strerror or error}")
