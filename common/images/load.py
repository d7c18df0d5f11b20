"""Read a photo as upright 8-bit RGB, whatever its mode or format."""

import os
import re
import stat
from contextlib import AbstractContextManager, nullcontext, suppress
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from common.errors import InputError

# What browsers and cameras send. Pillow would read more, some of it with programs of its own.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP")
SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".avif", ".gif", ".tif", ".tiff", ".bmp")
)
MAX_PIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 0)  # from here on Pillow refuses, fearing a bomb
# Formats that may move are decoded onto a canvas, which a few bytes can make large: WebP takes
# some 20 bytes of memory a pixel. Photos of 24 megapixels pass.
ANIMATED, MAX_ANIMATED = ("WEBP", "AVIF", "GIF"), 2**25

Source = str | Path | bytes | Image.Image | np.ndarray  # where a photo comes from

_CHANNELS = ((), (3,), (4,))
_REASONS = {
    FileNotFoundError: "no such file",
    UnidentifiedImageError: "not an image that can be read",
    Image.DecompressionBombError: f"more than {MAX_PIXELS:,} pixels",
    MemoryError: "too large for the memory",
}


def load_image(source: Source) -> Image.Image:
    """Read a photo as upright 8-bit RGB, whatever its mode or format.

    Animations give their first frame, transparency is laid on white, values of more than 8 bits are
    scaled.

    Args:
        source: A path, the bytes of a file, an image, or an array of grey, RGB or RGBA pixels
            (``(H, W)``, ``(H, W, 3)`` or ``(H, W, 4)``, uint8).

    Raises:
        InputError: If there is no readable photo; the message names the file and the reason.
    """
    name = source if isinstance(source, (str, Path)) else "the image"
    try:
        with _open(source) as image:
            if image.format in ANIMATED and image.width * image.height > MAX_ANIMATED:
                raise InputError(f"{name}: more than {MAX_ANIMATED:,} pixels ({image.format})")
            image.draft(image.mode, (1024, 1024))  # large JPEGs are decoded at reduced size
            image.load()
            with suppress(Exception):  # it turns first, then rewrites metadata, damaged or not
                ImageOps.exif_transpose(image, in_place=True)
            if image.mode.startswith(("I", "F")):
                image = _to_8_bit(image)
            if image.has_transparency_data:
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
            return image.convert("RGB")
    except InputError:
        raise
    except Exception as error:  # a decoder may raise anything, for want of memory, too
        reason = f"damaged image ({' '.join(str(error).split())})"
        if isinstance(error, OSError) and error.strerror:  # of the system, not of a decoder
            reason = error.strerror.lower()
        raise InputError(f"{name}: {_REASONS.get(type(error), reason)}") from error


def _open(source: Source) -> AbstractContextManager[Image.Image]:
    if isinstance(source, Image.Image):
        return nullcontext(source.copy())  # drafting and closing are not for the caller's image
    if isinstance(source, np.ndarray):
        channels = source.shape[2:]
        if source.dtype != np.uint8 or source.ndim not in (2, 3) or channels not in _CHANNELS:
            found = f"{source.dtype} {source.shape}"
            raise InputError(f"the image: an array of {found}; expected uint8 (H, W, 3) or (H, W)")
        return Image.fromarray(source)
    if isinstance(source, bytes):
        return Image.open(BytesIO(source), formats=FORMATS)
    kind = os.stat(source).st_mode
    if stat.S_ISDIR(kind):
        raise InputError(f"{source}: a folder; expected an image file")
    if not stat.S_ISREG(kind):  # a pipe would be waited for, a device may have no end
        raise InputError(f"{source}: not a file; expected an image file")
    return Image.open(source, formats=FORMATS)


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Scale grey values to 0..255 by the smallest usual range that holds them.

    Integers have 8, 10, 12 or 16 bits, floats may also lie in 0..1, and what is no finite number is
    black.
    """
    values = np.nan_to_num(np.asarray(image, np.float32), posinf=0, neginf=0)
    tops, peak = (255, 1023, 4095), float(values.max())
    if image.mode == "F":
        tops, peak = (1, *tops), peak / 1.1  # resampling goes a little beyond the range
    top = next((top for top in tops if peak <= top), 65535)
    return Image.fromarray((values.clip(0, top) * (255.0 / top)).astype(np.uint8))


def list_images(folder: Path) -> list[Path]:
    """Return all image files below a folder, sorted, but for hidden ones and those of archivers.

    Raises:
        InputError: If it is no folder or holds no image.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    shown = re.compile(r"(?!\.|__MACOSX$)")
    found = [p for p in found if all(map(shown.match, p.relative_to(folder).parts))]
    if not found:
        raise InputError(f"{folder}: no image in it (looked for {' '.join(sorted(SUFFIXES))})")
    return found
