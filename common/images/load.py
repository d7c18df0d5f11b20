"""Read a photo as upright 8-bit RGB, whatever its mode or format."""

import warnings
from contextlib import AbstractContextManager, nullcontext
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from common.errors import InputError

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # errors remain

SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".avif", ".gif", ".tif", ".tiff", ".bmp")
)


MAX_PIXELS = 2 * (Image.MAX_IMAGE_PIXELS or 0)  # from here on Pillow refuses, fearing a bomb


_CHANNELS = ((), (3,), (4,))


Source = str | Path | bytes | Image.Image | np.ndarray  # where a photo comes from


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
