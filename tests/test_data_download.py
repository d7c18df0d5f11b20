"""The download function against real servers, and the unpacking of hostile and broken archives."""

import hashlib
import http.server
import random
import shutil
import socket
import struct
import threading
import zipfile

import pytest

from common.errors import InputError
from data.download import check_space, checksum_of, download, record, recorded
from data.unpack import extract_zip

CONTENT = random.Random(0).randbytes(1_000_000)
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.seen.append(self.headers["Range"])
        if server.statuses and (status := server.statuses.pop(0)) != 200:
            return self.send_error(status)
        start = 0
        if server.ranges and self.headers["Range"]:
            start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
            if start >= len(CONTENT):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
                return self.end_headers()
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        else:
            self.send_response(200)
        body = CONTENT[start:]
        if server.tell_length:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = server.cuts.pop(0) if server.cuts else None
        self.wfile.write(body[:cut])
        if cut is not None and server.reset:  # close with RST instead of FIN
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.ranges, server.tell_length, server.reset = True, True, False
    server.cuts, server.statuses, server.seen = [], [], []
    server.url = f"http://127.0.0.1:{server.server_port}/photos.zip"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def get(server, folder, **options):
    return download(server.url, folder / "photos.zip", wait=0.01, **options)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_full_download(server, tmp_path):
    path = get(server, tmp_path / "a" / "b", checksum=SHA256, size=len(CONTENT))
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == ["photos.zip"]
    assert server.seen == [None]


@pytest.mark.parametrize("checksum", [SHA256.upper(), "md5:" + hashlib.md5(CONTENT).hexdigest()])
def test_checksums_of_either_kind(server, tmp_path, checksum):
    algorithm, _, digest = checksum.partition(":")
    get(server, tmp_path, checksum=f"{algorithm.lower()}:{digest}")
    assert names(tmp_path) == ["photos.zip"]


def test_a_complete_file_is_not_fetched_again(server, tmp_path):
    get(server, tmp_path)
    get(server, tmp_path, checksum=SHA256)
    assert server.seen == [None]


@pytest.mark.parametrize("reset", [False, True])
def test_goes_on_after_lost_connections(server, tmp_path, reset, capsys):
    server.cuts, server.reset = [400_000, 300_000], reset
    assert get(server, tmp_path).read_bytes() == CONTENT
    assert server.seen[0] is None and len(server.seen) == 3
    if not reset:  # a reset may take bytes with it that were under way
        assert server.seen[1:] == ["bytes=400000-", "bytes=700000-"]
        assert capsys.readouterr().err.count("retry 1 of 5") == 2, "progress restarts the count"


def test_resumes_in_a_later_run(server, tmp_path):
    (tmp_path / "photos.zip.part").write_bytes(CONTENT[:123_456])
    assert get(server, tmp_path, checksum=SHA256).read_bytes() == CONTENT
    assert server.seen == ["bytes=123456-"]
    assert names(tmp_path) == ["photos.zip"]


def test_a_part_that_is_complete_is_only_renamed(server, tmp_path):
    (tmp_path / "photos.zip.part").write_bytes(CONTENT)
    assert get(server, tmp_path).read_bytes() == CONTENT
    assert server.seen == [f"bytes={len(CONTENT)}-"]


def test_a_part_that_is_too_long_is_thrown_away(server, tmp_path):
    (tmp_path / "photos.zip.part").write_bytes(CONTENT + b"more")
    assert get(server, tmp_path).read_bytes() == CONTENT
    assert server.seen == [f"bytes={len(CONTENT) + 4}-", None]


def test_server_without_ranges_starts_over(server, tmp_path):
    server.ranges, server.cuts = False, [600_000]
    assert get(server, tmp_path).read_bytes() == CONTENT
    assert server.seen == [None, "bytes=600000-"]


def test_gives_up_when_nothing_new_comes(server, tmp_path):
    server.ranges, server.cuts = False, [600_000] * 9
    with pytest.raises(InputError, match=r"gave up.*600000 of 1000000 bytes.*resume"):
        get(server, tmp_path, retries=2)
    assert len(server.seen) == 3, "the first attempt and two retries"
    assert names(tmp_path) == ["photos.zip.part"]


def test_known_size_uncovers_a_cut_that_the_server_hides(server, tmp_path):
    server.tell_length, server.cuts = False, [500_000]
    assert get(server, tmp_path, size=len(CONTENT)).read_bytes() == CONTENT


@pytest.mark.parametrize("there_already", [False, True])
def test_wrong_checksum_names_both_and_removes_the_file(server, tmp_path, there_already):
    if there_already:
        get(server, tmp_path)
    wrong = "sha256:" + "0" * 64
    with pytest.raises(InputError, match=f"expected {wrong}, got {SHA256}"):
        get(server, tmp_path, checksum=wrong)
    assert names(tmp_path) == []


def test_wrong_size(server, tmp_path):
    with pytest.raises(InputError, match="expected 999999 bytes, got 1000000 bytes"):
        get(server, tmp_path, size=999_999)
    assert names(tmp_path) == []


@pytest.mark.parametrize("status", [403, 404, 500])
def test_http_errors_at_the_start_are_final(server, tmp_path, status):
    server.statuses = [status]
    with pytest.raises(InputError, match=f"photos.zip: HTTP {status}"):
        get(server, tmp_path)
    assert len(server.seen) == 1
    assert names(tmp_path) == []


def test_an_overloaded_server_midway_is_asked_again(server, tmp_path):
    server.cuts, server.statuses = [400_000], [200, 503]
    assert get(server, tmp_path).read_bytes() == CONTENT
    assert len(server.seen) == 3


def test_a_refusal_midway_is_final(server, tmp_path):
    server.cuts, server.statuses = [400_000], [200, 404]
    with pytest.raises(InputError, match="HTTP 404"):
        get(server, tmp_path)
    assert len(server.seen) == 2


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/a", "photos.zip", "http://[bad", "http://a b/"])
def test_no_address(tmp_path, url):
    with pytest.raises(InputError):
        download(url, tmp_path / "a")


def test_nobody_answers(tmp_path):
    with socket.socket() as taken:  # bound, but not listening
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/a.zip"
        with pytest.raises(InputError, match=r"cannot download .*refused"):
            download(url, tmp_path / "a.zip", wait=60)


def test_too_little_space_is_told_before_the_start(server, tmp_path, monkeypatch):
    monkeypatch.setattr(
        shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 0, 1_900_000)
    )
    with pytest.raises(InputError, match="not enough space"):
        get(server, tmp_path, copies=2)
    assert names(tmp_path) == []
    get(server, tmp_path, copies=1)
    check_space(tmp_path, 1_900_000)


def test_disk_full_on_the_way(server, tmp_path):
    (tmp_path / "photos.zip.part").symlink_to("/dev/full")
    with pytest.raises(InputError, match=r"cannot write .*No space left"):
        get(server, tmp_path)
    assert len(server.seen) == 1, "no retry helps"


def test_record(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"abc")
    assert recorded(path) is None
    record(path)
    assert recorded(path) == checksum_of(path) == "sha256:" + hashlib.sha256(b"abc").hexdigest()
    assert (tmp_path / "a.zip.sha256").read_text().endswith("  a.zip\n")


def make_zip(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as pack:
        for name, text in members.items():
            pack.writestr(name, text)
    return path


def test_extract_skips_what_is_there(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"d/": "", "d/one.txt": "1", "d/two.txt": "22"})
    out = tmp_path / "out"
    assert extract_zip(archive, out) == 2
    (out / "d/one.txt").write_text("cut off")  # wrong size: written again
    (out / "d/two.txt").write_text("ok")  # right size: left alone
    assert extract_zip(archive, out) == 1
    assert (out / "d/one.txt").read_text() == "1"
    assert (out / "d/two.txt").read_text() == "ok"
    assert names(out / "d") == ["one.txt", "two.txt"]


@pytest.mark.parametrize(
    "name", ["../evil.txt", "a/../../evil.txt", "/tmp/evil.txt", "..\\evil.txt"]
)
def test_members_that_lie_outside(tmp_path, name):
    archive = make_zip(tmp_path / "a.zip", {"good.txt": "1", name: "2"})
    with pytest.raises(InputError, match=r"outside.*evil"):
        extract_zip(archive, tmp_path / "out")
    assert names(tmp_path / "out") == []
    assert names(tmp_path) == ["a.zip", "out"]


def test_a_link_on_disk_leads_nowhere_outside(tmp_path):
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir(), elsewhere.mkdir()
    (out / "d").symlink_to(elsewhere)
    with pytest.raises(InputError, match="outside"):
        extract_zip(make_zip(tmp_path / "a.zip", {"d/evil.txt": "1"}), out)
    assert names(elsewhere) == []


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_damaged_member(tmp_path, method):
    text = "x" * 50_000 + "needle" + "y" * 50_000
    archive = make_zip(tmp_path / "a.zip", {"a.txt": text}, compression=method)
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(InputError, match=r"damaged.*a\.zip"):
        extract_zip(archive, tmp_path / "out")
    assert names(tmp_path / "out") == [], "no half a file that a later run would take for whole"


@pytest.mark.parametrize("damage", [lambda d: b"<html>not found</html>", lambda d: d[:-30]])
def test_no_zip_at_all(tmp_path, damage):
    archive = make_zip(tmp_path / "a.zip", {"a.txt": "1" * 999})
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(InputError, match=r"not a zip file: .*a\.zip"):
        extract_zip(archive, tmp_path / "out")


def test_no_space_to_unpack(tmp_path, monkeypatch):
    archive = make_zip(tmp_path / "a.zip", {"a.txt": "1" * 999})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 0, 998))
    with pytest.raises(InputError, match="not enough space"):
        extract_zip(archive, tmp_path / "out")
