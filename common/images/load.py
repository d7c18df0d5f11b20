"""Read a photo as upright 8-bit RGB, whatever its mode or format."""

import os
import stat
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

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
_UPRIGHT = {  # EXIF's orientation, and what undoes it
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
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
            image = _upright(image)
            if image.mode.startswith(("I", "F")):
                image = _to_8_bit(image)
            if image.has_transparency_data:
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
            return image.convert("RGB")
    except InputError:
        raise
    except Exception as error:  # a decoder may raise anything, for want of memory, too
        raise InputError(f"{name}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Return in a few words why a photo cannot be read."""
    match error:
        case FileNotFoundError():
            return "no such file"
        case IsADirectoryError():
            return "a folder; expected an image file"
        case UnidentifiedImageError():
            return "not an image that can be read"
        case Image.DecompressionBombError():
            return f"more than {MAX_PIXELS:,} pixels"
        case MemoryError():
            return "too large for the memory"
        case OSError(strerror=str(reason)):  # of the system, not of a decoder
            return reason.lower()
    return f"damaged image ({' '.join(str(error).split())})"


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
        raise IsADirectoryError
    if not stat.S_ISREG(kind):  # a pipe would be waited for, a device may have no end
        raise InputError(f"{source}: not a file; expected an image file")
    return Image.open(source, formats=FORMATS)


def _upright(image: Image.Image) -> Image.Image:
    """Turn an image as its metadata say; where they are damaged it stays as it is."""
    try:
        turn = _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation))
    except Exception:  # as many kinds as decoders raise, and the pixels are there
        return image
    return image if turn is None else image.transpose(turn)


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
    """Return all image files below a folder, sorted.

    Raises:
        InputError: If it is no folder or holds no image.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not found:
        raise InputError(f"{folder}: no image in it (looked for {' '.join(sorted(SUFFIXES))})")
    return found
