"""Run a network over many photos."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from PIL import Image

from common.errors import InputError
from common.images.load import Source, load_image
from common.parallel import cores, ordered_map

Forward = Callable[[np.ndarray], np.ndarray]  # a model: a batch of inputs to a batch of outputs


def run_photos(
    model: Forward,
    preprocess: Callable[[Image.Image], np.ndarray],
    sources: Sequence[Source],
    batch_size: int = 32,
    threads: int | None = None,
) -> Iterator[np.ndarray | InputError]:
    """Read photos and run a model over them, several batches side by side.

    Args:
        model: From ``(B, 3, crop, crop)`` to ``(B, C)``; called from several threads.
        preprocess: From image to input.
        sources: The photos.
        batch_size: Photos in a batch.
        threads: How many batches are worked on at once; as many as cores if None.

    Yields:
        For each photo in order the model's output ``(C,)``, or why it cannot be read.
    """

    def read(source: Source) -> np.ndarray | InputError:
        try:
            return preprocess(load_image(source))
        except InputError as error:
            return error

    def work(batch: Sequence[Source]) -> list[np.ndarray | InputError]:
        items = [read(source) for source in batch]
        inputs = [item for item in items if not isinstance(item, InputError)]
        outputs = iter(model(np.stack(inputs)) if inputs else ())
        return [item if isinstance(item, InputError) else next(outputs) for item in items]

    batches = (sources[i : i + batch_size] for i in range(0, len(sources), batch_size))
    for rows in ordered_map(work, batches, threads or cores()):
        yield from rows
