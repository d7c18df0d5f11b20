"""How much worse the image classifier gets on worse photos: accuracy under each distortion.

    python benchmarks/robustness.py
    python benchmarks/robustness.py --classes data/awa2_classes.txt --split val

Each photo of the split is distorted in one way at three strengths. Prints a Markdown table of the
accuracy with 95 % bootstrap intervals that resample the sources of the photos.
"""

import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from common.cli import ArgumentParser, run
from common.errors import InputError
from common.evaluation.bootstrap import bootstrap
from common.paths import CLASSIFIER_MODEL

Distortion = Callable[[Image.Image, float], Image.Image]


def blur(image: Image.Image, radius: float) -> Image.Image:
    """Gaussian blur; the radius in pixels of a photo whose shorter side is 224."""
    return image.filter(ImageFilter.GaussianBlur(radius * min(image.size) / 224))


def noise(image: Image.Image, spread: float) -> Image.Image:
    """Gaussian noise of a standard deviation in grey levels of 255, the same at each call."""
    drawn = np.random.default_rng(0).normal(0, spread, (image.height, image.width, 3))
    return Image.fromarray((np.asarray(image) + drawn).clip(0, 255).astype(np.uint8))


def night(image: Image.Image, brightness: float) -> Image.Image:
    """Grey like infra-red and dark, with a little noise."""
    dark = ImageEnhance.Brightness(image.convert("L").convert("RGB")).enhance(brightness)
    return noise(dark, 8)


def low_resolution(image: Image.Image, side: float) -> Image.Image:
    """Shrunk to a shorter side of so many pixels, and enlarged again."""
    share = side / min(image.size)
    small = image.resize([max(1, round(edge * share)) for edge in image.size])
    return small.resize(image.size)


def jpeg(image: Image.Image, quality: float) -> Image.Image:
    """Compressed with a JPEG quality."""
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=int(quality))
    return Image.open(buffer).convert("RGB")


def crop(image: Image.Image, share: float) -> Image.Image:
    """The upper left part, so many of each side."""
    return image.crop((0, 0, round(image.width * share), round(image.height * share)))


def wide(image: Image.Image, ratio: float) -> Image.Image:
    """In the middle of a grey canvas that is so many times as wide as high."""
    canvas = Image.new("RGB", (round(image.height * ratio), image.height), "grey")
    canvas.paste(image, ((canvas.width - image.width) // 2, 0))
    return canvas


def turn(image: Image.Image, degrees: float) -> Image.Image:
    """Rotated without a note in the file; the corners are grey."""
    return image.rotate(degrees, Image.Resampling.BILINEAR, expand=True, fillcolor="grey")


DISTORTIONS: dict[str, tuple[Distortion, tuple[float, float, float]]] = {
    "blur, radius in pixels": (blur, (1, 2, 4)),
    "noise, standard deviation": (noise, (10, 25, 50)),
    "night, brightness": (night, (0.5, 0.25, 0.12)),
    "low resolution, pixels": (low_resolution, (112, 64, 32)),
    "JPEG quality": (jpeg, (30, 15, 5)),
    "crop, share of each side": (crop, (0.8, 0.6, 0.4)),
    "panorama, width to height": (wide, (2, 3, 5)),
    "turned, degrees": (turn, (15, 45, 90)),
}


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_model("--model", CLASSIFIER_MODEL)
    parser.add_data("animals", "labelled photos")
    parser.add_argument("--split", choices=("val", "test"), default="test")
    parser.add_argument("--classes", type=Path, metavar="FILE", help="answer with these classes")
    parser.add_argument("--count", type=int, help="the first photos only")
    return parser


def main() -> int:
    """Measure and print."""
    args = get_args_parser().parse_args()
    from benchmarks.measure import with_classes
    from classifier.data import read_classes, read_photos, select
    from classifier.predict import sources_of
    from classifier.predictor import PhotoClassifier
    from common.images.batches import run_photos

    classifier = PhotoClassifier.load(args.model, "cpu")
    model, config = classifier.model, classifier.config
    if args.classes:
        model, config = with_classes(model, config, read_classes(args.classes))
    photos = select(read_photos(args.data, args.model), args.split, config.animals)[: args.count]
    if not photos:
        raise InputError(f"{args.data}: no photo of the model's classes in split {args.split}")
    paths = [photo.path for photo in photos]
    sources = sources_of(photos)

    def measured(distorted: Callable[[Image.Image], Image.Image]) -> str:
        rows = run_photos(model, lambda image: config.preprocess(distorted(image)), paths)
        right = np.array(
            [
                not isinstance(row, InputError) and config.classes[row.argmax()] == photo.label
                for row, photo in zip(rows, photos, strict=True)
            ]
        )
        return str(bootstrap(lambda drawn: right[drawn].mean(), len(right), sources))

    print(f"{len(photos)} photos as they are: {measured(lambda image: image)}\n")
    print("| distortion | weak | medium | strong |\n|---|---|---|---|")
    for name, (distort, strengths) in DISTORTIONS.items():
        cells = [f"{s:g}: {measured(lambda i, d=distort, s=s: d(i, s))}" for s in strengths]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    run(main)
