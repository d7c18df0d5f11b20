"""Answer a stream of pairs: in order, with bounded memory, each text and photo read once."""

import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from common.errors import InputError, text_error
from common.images.load import Source
from common.pairs.cache import RunCache
from common.pairs.model import Answer, Pair, PairModel, Row
from common.parallel import chunks, cores, ordered_map

CHUNK = 8  # pairs that are answered together; more take memory and save no time


class Answering:
    """What every `PairModel` inherits; ``threads`` is how many batches it works on at once."""

    threads: int = cores()

    def verify(self, text: str, image: Source) -> Any:
        """Answer one pair.

        Raises:
            InputError: If the text is empty or the photo cannot be read.
        """
        (answer,) = self.verify_many([(text, image)])
        if answer.error:
            raise InputError(answer.error)
        return answer

    def verify_many(self, pairs: Iterable[Pair], folder: Path = Path()) -> Iterator[Any]:
        """Answer pairs in order, as they come, see `answer_pairs`."""
        return answer_pairs(self, pairs, folder, self.threads)

    def rows(self, pairs: Iterable[Pair], folder: Path = Path()) -> Iterator[Row]:
        """Answer pairs as `verify_many` does, with the rows of a table."""
        return (answer.to_row() for answer in self.verify_many(pairs, folder))


class _Row(NamedTuple):
    """A pair with the key of its photo: the path, or a number for a photo that has none."""

    text: str
    name: str | None
    """The path as it was given, None for a photo that came otherwise."""
    photo: str


class _Job(NamedTuple):
    """Pairs that are answered together, and what of them no job before has read."""

    rows: list[_Row]
    texts: list[str]
    photos: dict[str, Source]


def answer_pairs(
    model: PairModel, pairs: Iterable[Pair], folder: Path, threads: int
) -> Iterator[Answer]:
    """Answer pairs in order, as they come; what cannot be answered carries its error.

    However long the stream, memory stays the same, and each distinct text and path is read once.
    Pairs are taken in the caller's thread.

    Args:
        model: Reads and answers; called from several threads.
        pairs: Text and photo of each.
        folder: What relative paths are relative to.
        threads: How many chunks are worked on at once.
    """

    def read(job: _Job) -> tuple[list[_Row], dict[str, Any], dict[str, Any]]:
        readable = [text for text in job.texts if not text_error(text)]
        said = zip(readable, model.read_texts(readable), strict=True)
        shown = zip(job.photos, model.read_photos(list(job.photos.values())), strict=True)
        return job.rows, dict.fromkeys(job.texts) | dict(said), dict(shown)

    with closing(RunCache()) as texts, closing(RunCache()) as photos:
        jobs = _jobs(pairs, texts, photos, folder)
        for rows, said, shown in ordered_map(read, jobs, threads):
            texts.put(said)
            photos.put({key: value for key, value in shown.items() if _is_path(key)})
            for row in rows:
                known = photos.get(row.photo) if _is_path(row.photo) else shown[row.photo]
                yield _answer(model, row, texts.get(row.text), known)


def _jobs(pairs: Iterable[Pair], texts: RunCache, photos: RunCache, folder: Path) -> Iterator[_Job]:
    """Cut the stream into jobs."""
    unnamed = count()
    for chunk in chunks(pairs, CHUNK):
        rows, sources = [], {}
        for text, image in chunk:
            if isinstance(image, (str, Path)):
                name = os.fspath(image)
                key = image = os.path.join(folder, name)
            else:
                name, key = None, f"\0{next(unnamed)}"  # see `_is_path`
            rows.append(_Row(text, name, key))
            sources[key] = image
        new = texts.missing(text for text, _ in chunk)
        paths = set(photos.missing(filter(_is_path, sources)))
        todo = {key: s for key, s in sources.items() if key in paths or not _is_path(key)}
        yield _Job(rows, new, todo)


def _is_path(key: str) -> bool:
    """Tell a path from the number of a photo without one, which no later pair asks for."""
    return not key.startswith("\0")  # no path has a zero


def _answer(model: PairModel, row: _Row, said: Any, shown: Any) -> Answer:
    empty = row.name is not None and not row.name.strip()
    error = text_error(row.text) or ("the image is empty; expected a path" if empty else None)
    if error or isinstance(shown, InputError):
        return model.failure(row.text, row.name, error or str(shown))
    return model.answer(row.text, row.name, said, shown)
