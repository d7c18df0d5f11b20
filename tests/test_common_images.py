"""Odd images: each is read as a person sees it, or refused in one line."""

import os
import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from conftest import script
from PIL import Image

from common.errors import InputError
from common.images.batches import run_photos
from common.images.load import list_images, load_image
from common.images.preprocess import Preprocess

RED = (200, 30, 30)


def save(path, image, **options):
    image.save(path, **options)
    return path


def close(image, colour, tolerance=12):
    """Whether an image is plain and of this colour."""
    return np.abs(np.asarray(image, int) - colour).max() <= tolerance


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("rgb.jpg", "RGB"),
        ("rgb.jfif", "RGB"),
        ("cmyk.jpg", "CMYK"),
        ("palette.png", "P"),
        ("palette.gif", "P"),
        ("alpha.png", "RGBA"),
        ("rgb.webp", "RGB"),
        ("rgb.avif", "RGB"),
        ("rgb.tif", "RGB"),
        ("cmyk.tif", "CMYK"),
        ("lab.tif", "LAB"),
        ("rgb.bmp", "RGB"),
    ],
)
def test_modes_and_formats(name, mode, tmp_path):
    image = Image.new("RGB", (40, 30), RED)
    if mode == "LAB":
        from PIL import ImageCms

        lab = ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(
            image, ImageCms.createProfile("sRGB"), lab, outputMode="LAB"
        )
    format = "JPEG" if name.endswith("jfif") else None
    image = image.quantize(8) if mode == "P" else image.convert(mode)
    path = save(tmp_path / name, image, format=format)
    read = load_image(path)
    assert read.mode == "RGB" and read.size == (40, 30)
    assert close(read, RED, 40 if mode == "LAB" else 12)


@pytest.mark.parametrize("mode", ["L", "1", "I;16", "I", "F", "LA"])
def test_grey_values_keep_their_brightness(mode, tmp_path):
    if mode == "I;16":
        image = Image.fromarray(np.full((30, 40), 40000, np.uint16))
    elif mode in "IF":
        image = Image.fromarray(np.full((30, 40), 155, np.int32 if mode == "I" else np.float32))
    else:
        image = Image.new("L", (40, 30), 255 if mode == "1" else 155).convert(mode)
    path = save(tmp_path / ("grey.tif" if mode in "IF" else "grey.png"), image)
    expected = 255 if mode == "1" else 155
    assert close(load_image(path), (expected,) * 3)


def test_transparency_is_white(tmp_path):
    path = save(tmp_path / "clear.png", Image.new("RGBA", (40, 30), (0, 0, 0, 0)))
    assert close(load_image(path), (255, 255, 255), 0)


def test_exif_rotation(tmp_path):
    pixels = np.zeros((30, 60, 3), np.uint8)
    pixels[:, :30] = RED  # left half red; orientation 6 turns it clockwise: red on top
    exif = Image.Exif()
    exif[0x0112] = 6
    path = save(tmp_path / "turned.jpg", Image.fromarray(pixels), exif=exif, quality=95)
    read = load_image(path)
    assert read.size == (30, 60)
    assert close(read.crop((4, 4, 26, 26)), RED, 20)
    assert close(read.crop((4, 34, 26, 56)), (0, 0, 0), 20)


@pytest.mark.parametrize(
    ("tag", "kind", "value"),
    [
        (0x0100, 2, b"abc\0"),  # the width as text
        (0x011A, 2, b"abc\0"),  # the resolution as text
        (0x0100, 11, struct.pack(">f", 60.0)),  # the width as a float
        (0x0110, 2, b""),  # a value that is not there
    ],
)
def test_metadata_that_only_turn_cost_no_photo(tag, kind, value, tmp_path):
    pixels = np.zeros((32, 64, 3), np.uint8)
    pixels[:, :32] = RED
    entries = {0x0112: struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0)}
    entries[tag] = struct.pack(">HHI", tag, kind, len(value) if kind == 2 else 1) + value
    block = b"".join(entries[key] for key in sorted(entries))
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", len(entries)) + block + b"\0" * 4
    path = save(tmp_path / "odd.jpg", Image.fromarray(pixels), exif=exif, quality=95)
    read = load_image(path)
    if value:
        assert read.size == (32, 64)
        assert close(read.crop((4, 4, 28, 28)), RED, 20)
    else:
        assert read.size in {(32, 64), (64, 32)}  # the block is broken: turned or not, but read


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_undone(orientation, tmp_path):
    from PIL import ImageOps

    pixels = np.random.default_rng(0).integers(0, 255, (16, 24, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path / "turned.png", Image.fromarray(pixels), exif=exif)
    with Image.open(path) as image:
        expected = ImageOps.exif_transpose(image)
    assert (np.asarray(load_image(path)) == np.asarray(expected)).all()


@pytest.mark.parametrize(
    ("values", "mode"),
    [
        (np.linspace(0, 1, 100), "F"),
        (np.linspace(-0.02, 1.03, 100), "F"),
        (np.linspace(0, 255, 100), "F"),
        (np.linspace(0, 1023, 100), "F"),
        (np.linspace(0, 255, 100), "I;16"),
        (np.linspace(0, 1023, 100), "I;16"),
        (np.linspace(0, 4095, 100), "I;16"),
        (np.linspace(0, 65535, 100), "I;16"),
        (np.linspace(0, 1023, 100), "I"),
    ],
)
def test_the_usual_ranges_of_values_fill_0_to_255(values, mode, tmp_path):
    kind = {"F": np.float32, "I;16": np.uint16, "I": np.int32}[mode]
    path = save(tmp_path / "range.tif", Image.fromarray(np.tile(values, (8, 1)).astype(kind)))
    with Image.open(path) as image:
        assert image.mode == mode
    read = np.asarray(load_image(path))[0, :, 0].astype(int)
    assert np.abs(read - np.linspace(0, 255, 100)).max() <= 9


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_no_finite_number_is_black(odd, tmp_path):
    values = np.full((8, 8), 200, np.float32)
    values[:4] = odd
    path = save(tmp_path / "odd.tif", Image.fromarray(values))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = np.asarray(load_image(path))
    assert (read[:4] == 0).all() and (read[4:] == 200).all()


def test_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, (0, 0, 255))]
    path = save(tmp_path / "two.gif", frames[0], save_all=True, append_images=frames[1:])
    assert close(load_image(path), RED)


def png_header(width, height):
    """A PNG that claims a size and ends there."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n\0\0\0\r" + chunk + struct.pack(">I", zlib.crc32(chunk))
    return start + struct.pack(">I", 1000) + b"IDAT"


def jpeg(share):
    """The first part of a JPEG file."""
    buffer = BytesIO()
    Image.effect_noise((200, 200), 80).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()[: int(len(buffer.getvalue()) * share)]


def animation(width, height):
    """A WebP that may move: a large canvas with one small frame, in some hundred bytes."""
    buffer = BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, "WEBP", lossless=True)
    frame = buffer.getvalue()[12:]
    sizes = [struct.pack("<I", n - 1)[:3] for n in (width, height)]
    chunks = [
        (b"VP8X", b"\x02\0\0\0" + b"".join(sizes)),
        (b"ANIM", b"\0" * 6),
        (b"ANMF", b"\0" * 6 + b"\1\0\0" * 2 + b"\0" * 4 + frame),
    ]
    body = b"".join(name + struct.pack("<I", len(data)) + data for name, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def test_a_small_animation_is_read_and_a_large_canvas_refused_before_it_is_decoded(monkeypatch):
    from PIL import WebPImagePlugin

    assert load_image(animation(60, 40)).size == (60, 40)
    monkeypatch.setattr(WebPImagePlugin.WebPImageFile, "load", lambda _: pytest.fail("decoded"))
    with pytest.raises(InputError, match="more than 33,554,432 pixels"):
        load_image(animation(7000, 7000))


@pytest.mark.parametrize("name", ["damaged.avif", "damaged.tif"])
def test_whatever_a_decoder_raises_is_that_photos_error(name):
    with pytest.raises(InputError, match="damaged image") as error:
        load_image(Path(__file__).parent / "data" / name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (MemoryError(), "too large for the memory"),
        (RuntimeError("odd\nframe"), "damaged image (odd frame)"),
        (struct.error("argument out of range"), "damaged image (argument out of range)"),
        (NotImplementedError("DXT9"), "damaged image (DXT9)"),
        (OSError("image file is truncated"), "damaged image (image file is truncated)"),
        (OSError(5, "Input/output error"), "input/output error"),
        (PermissionError(13, "Permission denied"), "permission denied"),
    ],
)
def test_reasons(raised, message, monkeypatch):
    def fail(*_, **__):
        raise raised

    monkeypatch.setattr(Image.Image, "convert", fail)
    with pytest.raises(InputError) as error:
        load_image(np.zeros((4, 4), np.uint8))
    assert str(error.value) == f"the image: {message}"


def test_formats_with_programs_of_their_own_are_not_opened(tmp_path):
    path = save(tmp_path / "a.eps", Image.new("RGB", (4, 4)))
    (tmp_path / "b.psd").write_bytes(b"8BPS\0\1" + b"\0" * 60)
    for odd in (path, tmp_path / "b.psd", path.read_bytes()):
        with pytest.raises(InputError, match="not an image that can be read"):
            load_image(odd)


def test_pipes_and_devices_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    for path in (tmp_path / "pipe.jpg", "/dev/zero", "/dev/null"):
        with pytest.raises(InputError, match=f"{path}: not a file; expected an image file"):
            load_image(path)


def test_a_name_that_is_too_long():
    with pytest.raises(InputError, match="name too long"):
        load_image("x" * 300 + ".jpg")


def test_importing_changes_no_globals():
    code = """
import csv, warnings
import numpy
from PIL import Image
before = csv.field_size_limit(), list(warnings.filters), Image.MAX_IMAGE_PIXELS
import common.cli, common.images.load, common.tables, engine.verifier
assert before == (csv.field_size_limit(), warnings.filters, Image.MAX_IMAGE_PIXELS)
"""
    script("-c", code)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an image that can be read"),
        (b"this is a text file\n", "not an image that can be read"),
        (jpeg(0.5), "damaged image"),
        (jpeg(0.5)[:20], "not an image that can be read"),
        (png_header(60000, 60000), "more than 178,956,970 pixels"),
    ],
)
def test_what_is_no_photo_is_one_line(content, message, tmp_path):
    path = tmp_path / "odd.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        load_image(path)
    assert str(error.value).startswith(f"{path}: ") and message in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_image(tmp_path / "none.jpg")
    with pytest.raises(InputError, match="a folder; expected an image file"):
        load_image(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        list_images(tmp_path / "none")
    with pytest.raises(InputError, match="no image in it"):
        list_images(tmp_path)


def preprocess(resize, crop, max_aspect=1.0, interpolation="bilinear"):
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return Preprocess(resize, crop, mean, std, max_aspect, interpolation)


@pytest.mark.parametrize("size", [(300, 200), (1, 1), (5000, 3), (3, 5000), (224, 224)])
def test_any_size_becomes_a_square(size):
    output = preprocess(36, 32)(Image.new("RGB", size, (124, 116, 104)))
    assert output.shape == (3, 32, 32) and output.dtype == np.float32
    assert np.abs(output).max() < 0.02  # ImageNet's mean colour is zero


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_preprocess_equals_torchvision(interpolation):
    import torch
    from torchvision.transforms import v2

    image = Image.fromarray(
        np.random.default_rng(0).integers(0, 255, (90, 140, 3)).astype(np.uint8)
    ).resize((420, 270))
    ours = preprocess(256, 224, interpolation=interpolation)(image)
    pipeline = v2.Compose(
        [
            v2.Resize(256, v2.InterpolationMode(interpolation)),
            v2.CenterCrop(224),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )
    theirs = pipeline(image).numpy()
    assert np.abs(ours - theirs).mean() < 0.02  # half a pixel of rounding in the crop


@pytest.mark.parametrize(
    ("size", "max_aspect", "box"),
    [
        ((300, 200), 1.0, (62.5, 12.5, 237.5, 187.5)),
        ((300, 200), 1.5, (18.75, 12.5, 281.25, 187.5)),
        ((200, 300), 1.5, (12.5, 18.75, 187.5, 281.25)),
        ((200, 200), 1.5, (12.5, 12.5, 187.5, 187.5)),
        ((1000, 200), 1.0, (412.5, 12.5, 587.5, 187.5)),
    ],
)
def test_what_the_model_sees(size, max_aspect, box):
    assert preprocess(256, 224, max_aspect).box(*size) == pytest.approx(box)


def test_run_photos_keeps_order_around_errors(tmp_path):
    paths = [
        save(tmp_path / f"{i}.png", Image.new("RGB", (8, 8), (i, i, i))) for i in range(0, 250, 25)
    ]
    paths[3].write_text("broken")
    sizes = []

    def model(batch):
        sizes.append(len(batch))
        return batch.mean(axis=(2, 3))[:, :1]

    rows = list(
        run_photos(
            model, Preprocess(8, 8, (0, 0, 0), (1, 1, 1), 1.0, "bilinear"), paths, batch_size=4
        )
    )
    assert sorted(sizes) == [2, 3, 4]  # of several threads, any may be first
    assert isinstance(rows.pop(3), InputError)
    expected = [i / 255 for i in range(0, 250, 25) if i != 75]
    assert np.allclose(np.concatenate(rows), expected, atol=1e-6)


def test_hidden_files_are_no_photos(tmp_path):
    for name in ("a.jpg", "b/c.jpg", "._a.jpg", ".ipynb_checkpoints/a.jpg", "__MACOSX/b/c.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert list_images(tmp_path) == [tmp_path / "a.jpg", tmp_path / "b/c.jpg"]
