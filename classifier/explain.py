"""A picture that explains an answer: the photo, where the class was seen, and how sure it is.

Drawn with Pillow alone. The map is the class activation map of the most probable class (Zhou et al.
2016), which says exactly how much each place of the photo added to its logit.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from common.errors import InputError

SIDE, GAP, LINE = 420, 20, 24  # pixels of the photo's longer side, between parts, of a line
BAR = 190  # pixels of a bar for probability 1
LONGEST = 600  # characters of a line of text that are drawn
INK, SHADE, GOOD, BAD = "#222222", "#dddddd", "#1a7f37", "#b3261e"
COLOURS = {"True": GOOD, "False": BAD}


def activation_overlay(
    image: Image.Image, box: tuple[float, float, float, float], evidence: np.ndarray
) -> Image.Image:
    """Lay a class activation map over a photo; what the model did not see is darkened.

    Args:
        image: RGB.
        box: Left, top, right, bottom in pixels of ``image``: what the model saw.
        evidence: For one class, ``(h, w)``; above 0 where the photo speaks for it.
    """
    heat = np.maximum(evidence, 0) / max(float(evidence.max()), 1e-6)
    left, top, right, bottom = (round(edge) for edge in box)
    size = right - left, bottom - top
    heat = Image.fromarray(np.uint8(255 * heat)).resize(size, Image.Resampling.BICUBIC)
    seen = image.crop((left, top, right, bottom))
    glow = ImageOps.colorize(heat, "#000080", "#ffee55", mid="#e0301e")
    result = Image.blend(image, Image.new("RGB", image.size), 0.55)
    result.paste(Image.composite(glow, seen, heat.point(lambda value: value * 0.6)), (left, top))
    return result


def draw_explanation(
    photo: Image.Image,
    bars: Sequence[tuple[str, float]],
    answer: str = "",
    lines: Sequence[str] = (),
) -> Image.Image:
    """Put an overlaid photo, bars and lines of text into one picture.

    Args:
        photo: From `activation_overlay`.
        bars: Labels with their probability.
        answer: Printed large above the bars, if there is one.
        lines: What else there is to say, below; long ones are wrapped, and cut at `LONGEST`.

    Returns:
        An RGB picture some 860 pixels wide.
    """
    photo = ImageOps.contain(photo, (SIDE, SIDE))
    width = SIDE + 2 * BAR + 3 * GAP
    font, large = ImageFont.load_default(16), ImageFont.load_default(34)
    wrapped = [part for line in lines for part in _wrap(line, font, width - 2 * GAP)]
    right = GAP + 52 * bool(answer) + LINE * len(bars)
    below = max(photo.height + GAP, right) + GAP
    picture = Image.new("RGB", (width, below + LINE * len(wrapped) + GAP), "white")
    picture.paste(photo, (GAP, GAP))
    pen = ImageDraw.Draw(picture)
    x, y = SIDE + 2 * GAP, GAP
    if answer:
        pen.text((x, y), answer, COLOURS.get(answer, INK), large)
        y += 52
    for label, probability in bars:
        pen.text((x, y), label.replace("_", " "), INK, font)
        start = x + BAR - 20
        pen.rectangle((start, y + 3, start + BAR - 40, y + 17), SHADE)
        pen.rectangle((start, y + 3, start + (BAR - 40) * probability, y + 17), INK)
        pen.text((start + BAR - 30, y), f"{probability:.2f}", INK, font)
        y += LINE
    for i, line in enumerate(wrapped):
        pen.text((GAP, below + LINE * i), line, INK, font)
    return picture


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: int) -> Iterator[str]:
    """Break a text into lines of at most ``width`` pixels, between words where there are any."""
    line = ""
    if len(text) > LONGEST:
        text = text[:LONGEST] + " …"
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and font.getlength(longer) > width:
            yield line
            longer = word
        while font.getlength(longer) > width:
            sizes = range(1, len(longer))
            cut = bisect_right(sizes, width, key=lambda n: font.getlength(longer[:n]))
            yield longer[: max(cut, 1)]
            longer = longer[max(cut, 1) :]
        line = longer
    if line:
        yield line


def save_picture(picture: Image.Image, path: Path) -> None:
    """Write a PNG.

    Raises:
        InputError: If it cannot be written.
    """
    try:
        picture.save(path, "PNG")
    except OSError as error:
        raise InputError(f"--explain {path}: {error.strerror or error}") from error
