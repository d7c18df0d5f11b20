"""From an image file to the model's input, without torch.

Evaluation and inference go through this file, so that a photo is read in one way; the numbers
(size, mean, standard deviation) travel in the model's configuration.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from common.errors import InputError
from common.parallel import cores, ordered_map

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # torchvision's normalisation, RGB in [0, 1]
IMAGENET_STD = (0.229, 0.224, 0.225)
SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".avif", ".gif", ".tif", ".tiff", ".bmp")
)
MAX_PIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 0)  # from here on Pillow refuses, fearing a bomb
_CHANNELS = ((), (3,), (4,))

Source = str | Path | bytes | Image.Image | np.ndarray  # where a photo comes from
Run = Callable[[np.ndarray], np.ndarray]  # a model: a batch of inputs to a batch of outputs

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # errors remain


def load_image(source: Source) -> Image.Image:
    """Read a photo as upright 8-bit RGB, whatever its mode or format.

    Animations give their first frame, transparency is laid on white, 16-bit values are scaled.

    Args:
        source: A path, the bytes of a file, an image, or an array of grey, RGB or RGBA pixels
            (``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)``, uint8).

    Raises:
        InputError: If there is no readable photo; the message names the file and the reason.
    """
    name = source if isinstance(source, (str, Path)) else "the image"
    try:
        with _open(source) as image:
            image.draft(image.mode, (1024, 1024))  # large JPEGs are decoded at reduced size
            image = ImageOps.exif_transpose(image)
            if image.mode.startswith(("I", "F")):
                image = _to_8_bit(image)
            if image.has_transparency_data:
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
            return image.convert("RGB")
    except FileNotFoundError as error:
        raise InputError(f"{name}: no such file") from error
    except IsADirectoryError as error:
        raise InputError(f"{name}: a folder; expected an image file") from error
    except UnidentifiedImageError as error:
        raise InputError(f"{name}: not an image that can be read") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"{name}: more than {MAX_PIXELS:,} pixels") from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:  # what Pillow's decoders raise
        raise InputError(f"{name}: damaged image ({' '.join(str(error).split())})") from error


def _open(source: Source) -> AbstractContextManager[Image.Image]:
    if isinstance(source, Image.Image):
        return nullcontext(source.copy())  # drafting and closing are not for the caller's image
    if isinstance(source, np.ndarray):
        channels = source.shape[2:]
        if source.dtype != np.uint8 or source.ndim not in (2, 3) or channels not in _CHANNELS:
            found = f"{source.dtype} {source.shape}"
            raise InputError(f"the image: an array of {found}; expected uint8 (H, W, 3) or (H, W)")
        return Image.fromarray(source)
    return Image.open(BytesIO(source) if isinstance(source, bytes) else source)


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Scale integer or float grey values to 0..255; 16 bits by their range, others by their own."""
    values = np.asarray(image, np.float32)
    top = 65535.0 if image.mode.startswith("I;16") or values.max() > 255 else 255.0
    return Image.fromarray((values.clip(0, top) * (255.0 / top)).astype(np.uint8))


@dataclass(frozen=True)
class Preprocess:
    """Resize the shorter side to ``resize``, cut the centre of ``crop`` pixels, normalise.

    The centre may be longer than that by a factor of ``squash``, and is squeezed into a square:
    training squeezes photos too, and animals at the edges of a photo are seen.
    """

    resize: int = 256
    crop: int = 224
    mean: Sequence[float] = IMAGENET_MEAN
    std: Sequence[float] = IMAGENET_STD
    squash: float = 1.0

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """What the model sees of an image: left, top, right and bottom in its pixels."""
        share = self.crop / self.resize
        side = min(width, height) * share
        across, down = (min(edge * share, side * self.squash) for edge in (width, height))
        left, top = (width - across) / 2, (height - down) / 2
        return left, top, left + across, top + down

    def __call__(self, image: Image.Image) -> np.ndarray:
        """An RGB image as float32 ``(3, crop, crop)``."""
        # Only the centre is resized: the same pixels, and no cost for panoramas.
        size = self.crop, self.crop
        image = image.resize(size, Image.Resampling.BILINEAR, box=self.box(*image.size))
        pixels = np.asarray(image, np.float32) / 255
        pixels = (pixels - np.float32(self.mean)) / np.float32(self.std)
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def list_images(folder: Path) -> list[Path]:
    """All image files below a folder, sorted.

    Raises:
        InputError: If it is no folder or holds no image.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not found:
        raise InputError(f"{folder}: no image in it (looked for {' '.join(sorted(SUFFIXES))})")
    return found


def run_photos(
    model: Run,
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
