"""What commands print: one line for a photo or an error, whatever its name or metadata."""

import json
import shutil
import struct
import subprocess
import sys

import pytest
from conftest import error_of, script
from PIL import Image

from common.cli import printable, run
from common.paths import ROOT

RACCOON = ROOT / "data/samples/raccoon.jpg"


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a photo.jpg", "a photo.jpg"),
        ("Füchse 🦊.jpg", "Füchse 🦊.jpg"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b[2J\x9b1m", r"\x1b[2J\x9b1m"),
        ("w\udce4r", r"w\udce4r"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        (r"C:\new", r"C:\new"),
    ],
)
def test_what_moves_the_cursor_is_escaped(text, printed):
    assert printable(text) == printed


def test_names_forge_no_rows(tmp_path):
    names = ["a\nlion.jpg  lion 1.00", "b\x1b[2J"]
    for name in names:
        shutil.copy(RACCOON, tmp_path / f"{name}.jpg")
    (tmp_path / "c\x1b[1m.jpg").write_text("no photo")
    done = script("classifier/inference.py", "--folder", tmp_path, check=False)
    assert done.returncode == 3 and "\x1b" not in done.stdout + done.stderr
    first, second, third = done.stdout.splitlines()
    assert first.startswith(rf"{tmp_path}/a\nlion.jpg  lion 1.00.jpg  raccoon ")
    assert second.startswith(rf"{tmp_path}/b\x1b[2J.jpg  raccoon ")
    assert third.endswith("not an image that can be read")
    arguments = ("pipeline.py", "--text", "A cow.", "--image", "no\nsuch\x1b[2J.jpg")
    assert r"no\nsuch\x1b[2J.jpg: no such file" in error_of(script(*arguments, check=False))


def test_a_library_that_warns_is_not_heard(tmp_path):
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">HHHII", 1, 0x0110, 2, 900, 26) + b"\0" * 4
    with Image.open(RACCOON) as image:
        image.save(tmp_path / "odd.jpg", exif=exif)
    done = script("pipeline.py", "--text", "A raccoon.", "--image", tmp_path / "odd.jpg")
    assert (done.stdout, done.stderr) == ("True\n", "")


@pytest.mark.parametrize("path", ["classifier/evaluate.py", "ner/evaluate.py"])
def test_packages_for_training_are_not_there(path, tmp_path):
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(name='torch')")
    done = script(path, "--runtime", "torch", env={"PYTHONPATH": str(tmp_path)}, check=False)
    assert error_of(done) == "error: needs torch; pip install -r requirements.txt"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_that_lacks_a_character(encoding):
    arguments = ("pipeline.py", "--format", "json", "--text", "A 🦝 raccoon.", "--image", RACCOON)
    done = script(*arguments, env={"PYTHONIOENCODING": encoding})
    assert json.loads(done.stdout)["text"] == "A 🦝 raccoon."


@pytest.mark.parametrize(
    ("command", "code", "stdout", "stderr"),
    [
        (f"--text 'A raccoon.' --image {RACCOON} >&-", 0, "", ""),
        (f"--text 'A tree.' --image {RACCOON} 2>&-", 0, "False\n", ""),
        (f"--text 'A raccoon.' --image {RACCOON} >/dev/full", 2, "", "No space left on device"),
        ("--pairs - --output - <&-", 2, "", "no column text or caption"),
    ],
)
def test_streams_that_are_closed_or_full(command, code, stdout, stderr):
    command = f"{sys.executable} pipeline.py {command}"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (code, stdout)
    assert stderr in done.stderr and done.stderr.count("\n") == (stderr != "")


@pytest.mark.parametrize("count", [-1, 0])
def test_how_many_classes(count):
    arguments = ("classifier/inference.py", "--image", RACCOON, "--topk", count)
    assert f"--topk {count}: must be at least 1" in error_of(script(*arguments, check=False))


def test_columns_by_name(tmp_path):
    (tmp_path / "pairs.csv").write_text(f"id,said,file\n7,A raccoon.,{RACCOON}\n")
    arguments = ("--pairs", tmp_path / "pairs.csv", "--output", "-")
    named = ("--text-column", "said", "--image-column", "file")
    done = script("pipeline.py", *arguments, *named)
    header, row = done.stdout.splitlines()
    assert header.startswith("text,image,answer,") and header.endswith(",error,id")
    assert row.startswith(f"A raccoon.,{RACCOON},True,") and row.endswith(",,7")
    refused = error_of(script("pipeline.py", *arguments, "--text-column", "x", check=False))
    assert "pairs.csv: no column x; found id,said,file" in refused


def test_a_module_of_ours_that_is_missing_is_a_defect():
    def main():
        raise ModuleNotFoundError(name="engine.nothing")

    with pytest.raises(ModuleNotFoundError):
        run(main)
