"""``data/awa2.py`` as users run it, on a small made-up AwA2."""

import functools
import http.server
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDER = "Animals_with_Attributes2"


def awa2(*args, module=False):
    script = ["-m", "data.awa2"] if module else ["data/awa2.py"]
    command = [sys.executable, *script, *map(str, args)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def one_line(result):
    """The error of a failed run: exit code 2, nothing on stdout, one line on stderr."""
    assert (result.returncode, result.stdout) == (2, ""), result
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1, result.stderr
    return result.stderr


@pytest.fixture
def archive(tmp_path):
    """A zip file like the real one: two classes, three photos, and a class without any."""
    path = tmp_path / "served" / "AwA2-data.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr(f"{FOLDER}/classes.txt", "     1\tgrizzly+bear\n     2\tcow\n     3\tmole\n")
        for name in ("grizzly+bear/a.jpg", "grizzly+bear/b.jpg", "cow/a.jpg", "cow/note.txt"):
            pack.writestr(f"{FOLDER}/JPEGImages/{name}", name)
    return path


@pytest.fixture
def url(archive):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Handler, directory=archive.parent)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/{archive.name}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_download_then_a_second_run_then_tampering(archive, url, tmp_path):
    out = tmp_path / "out"
    first = awa2("--output", out, "--url", url)
    assert first.returncode == 0, first.stderr
    assert first.stdout.splitlines() == [
        f"archive   {out}/AwA2-data.zip ({archive.stat().st_size:,} bytes)",
        f"unpacked  {out}/{FOLDER} (5 new files)",
        "3 classes, 3 photos",
    ]
    assert "50 classes and 37,322 photos" in first.stderr
    assert (out / FOLDER / "JPEGImages/cow/a.jpg").read_text() == "cow/a.jpg"
    assert (out / "AwA2-data.zip.sha256").read_text().endswith("  AwA2-data.zip\n")

    second = awa2("--output", out, "--url", url, module=True)
    assert "(0 new files)" in second.stdout

    with (out / "AwA2-data.zip").open("ab") as file:
        file.write(b"!")
    assert "expected sha256:" in one_line(awa2("--output", out, "--url", url))
    assert not (out / "AwA2-data.zip").exists()
    assert awa2("--output", out, "--url", url).returncode == 0, "the next run fetches it again"


def test_archive_at_hand(archive, tmp_path):
    result = awa2("--output", tmp_path / "out", "--archive", archive)
    assert result.stdout.endswith("3 classes, 3 photos\n")
    assert sorted(p.name for p in archive.parent.iterdir()) == [archive.name], "not ours to touch"
    archive.with_name(f"{archive.name}.sha256").write_text("0" * 64)
    assert "wrong file" in one_line(awa2("--output", tmp_path / "out", "--archive", archive))
    assert archive.exists()


def test_damaged_download_is_not_recorded(archive, url, tmp_path):
    data = archive.read_bytes()
    archive.write_bytes(data.replace(b"cow/a.jpgPK", b"cow/X.jpgPK", 1))  # content, not name
    assert archive.read_bytes() != data
    assert "Bad CRC-32" in one_line(awa2("--output", tmp_path / "out", "--url", url))
    assert not list(tmp_path.glob("out/*.sha256"))


def test_another_zip_is_not_taken_for_awa2(tmp_path):
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as pack:
        pack.writestr("readme.txt", "hello")
    assert "not AwA2" in one_line(awa2("--output", tmp_path / "out", "--archive", other))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "--output"),
        (["--archive", "no.zip"], "no such file: no.zip"),
        (["--archive", "no.zip", "--base"], "not allowed with"),
        (["--url", "https://example.org/photos"], "zip file"),
        (["--archive", __file__], "not a zip file"),
    ],
)
def test_bad_input(tmp_path, args, message):
    args = [*args, "--output", tmp_path / "out"] if args else args
    assert message in one_line(awa2(*args))


def test_not_found(url, tmp_path):
    result = awa2("--output", tmp_path / "out", "--url", url.replace("data", "nothing"))
    assert "HTTP 404" in one_line(result)


@pytest.mark.parametrize("module", [False, True])
def test_help(module):
    result = awa2("--help", module=module)
    assert (result.returncode, result.stderr) == (0, "")
    assert "python data/awa2.py --output DIR" in result.stdout


def test_base_package(archive, tmp_path):
    """``--base`` needs no photos; the same archive without it is an error."""
    with zipfile.ZipFile(archive, "w") as pack:
        pack.writestr(f"{FOLDER}/classes.txt", "1\tcow\n2\tmole\n")
    assert "not AwA2" in one_line(awa2("--output", tmp_path / "out", "--archive", archive))

    code = "import data.awa2 as a, sys; a.BASE_URL = sys.argv.pop(1); sys.exit(a.main())"
    served = functools.partial(http.server.SimpleHTTPRequestHandler, directory=archive.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), served) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/{archive.name}"
        command = [sys.executable, "-c", code, address, "--base", "--output", tmp_path / "out"]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        server.shutdown()
        thread.join()
    assert result.stdout.endswith("2 classes, 0 photos\n"), result.stderr
