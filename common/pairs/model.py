"""What answers a pair of text and photo, and what an answer is."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from common.errors import InputError
from common.images.load import Source

Pair = tuple[str, Source]
Row = dict[str, Any]

Text = TypeVar("Text")
Photo = TypeVar("Photo")


class Answer(Protocol):
    """The answer to a pair; ``error`` says why there is none."""

    error: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the whole answer."""

    def to_row(self) -> Row:
        """Return the answer as a row of a table, by the model's ``columns``."""


class PairModel(Protocol[Text, Photo]):
    """Reads texts, reads photos and answers pairs of them.

    What it reads is kept by text and by path, so that each is read once in a stream of pairs.

    Attributes:
        columns: The columns of a table of answers, in order, with their types. The first of type
            bool, if there is one, says whether the answer is true, false or undecided.
    """

    columns: Mapping[str, type]

    def read_texts(self, texts: Sequence[str]) -> Sequence[Text]:
        """Return what each text says: claims, or an embedding."""

    def read_photos(self, photos: Sequence[Source]) -> Iterator[Photo | InputError]:
        """Return what each photo shows, logits or an embedding, or why it cannot be read."""

    def answer(self, text: str, image: str | None, said: Text, shown: Photo) -> Answer:
        """Return the answer to a pair, of which `read_texts` and `read_photos` said this.

        The image is the path as it was given, None for a photo that came otherwise.
        """

    def failure(self, text: str, image: str | None, error: str) -> Answer:
        """Return the answer to a pair that has none."""
