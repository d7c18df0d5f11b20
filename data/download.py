"""Download a large file so that it can be resumed and trusted.

    download(url, Path("photos.zip"), checksum="sha256:9f86d0...")

An unfinished download stays as ``FILE.part`` and goes on from there the next time; ``FILE`` appears
only when it is complete and its size and checksum are right. Where nobody publishes a checksum,
``record`` writes the one of the first good download next to the file, for later runs to hold it to.
"""

import errno
import hashlib
import shutil
import sys
import time
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tqdm import tqdm

from common.errors import InputError

CHUNK = 1 << 18  # bytes read at once
TIMEOUT = 60  # seconds without a byte after which a connection counts as lost
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def download(
    url: str,
    target: Path,
    *,
    size: int | None = None,
    checksum: str | None = None,
    copies: int = 1,
    retries: int = 5,
    wait: float = 1.0,
) -> Path:
    """Download a file, or verify the one that is already there.

    Args:
        url: Its address, http or https.
        target: Where it goes; missing folders are made.
        size: Its size in bytes, where it is known.
        checksum: ``sha256:<hex>`` or ``md5:<hex>``, where it is known.
        copies: Free space wanted before the start, in sizes of the file (2: room to unpack it).
        retries: Attempts after a lost connection; counted anew whenever new bytes came.
        wait: Seconds before the first retry; doubled for each further one.

    Returns:
        ``target``.

    Raises:
        InputError: The server refuses, the connection is gone, the disk is full, or size or
            checksum are wrong; the file is then removed.
    """
    if not url.startswith(("http://", "https://")):
        raise InputError(f"not an http(s) address: {url!r}")
    part = target if target.exists() else target.with_name(f"{target.name}.part")
    if part != target:
        _fetch(url, part, size, copies, retries, wait)
    verify(part, size, checksum)
    return part.replace(target)


def _fetch(url: str, part: Path, size: int | None, copies: int, retries: int, wait: float) -> None:
    """Receive the whole file into ``part``, going on from what it holds."""
    failures, best = 0, None  # best: the most bytes held so far; None before the first answer
    while True:
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            have = part.stat().st_size if part.exists() else 0
            request = Request(url, headers={"Range": f"bytes={have}-"} if have else {})
            with urlopen(request, timeout=TIMEOUT) as response:
                if response.status != 206:  # the server cannot resume and sends all of it
                    have = 0
                best = max(best or 0, have)
                length = response.headers["Content-Length"]
                total = have + int(length) if length else size
                if total is not None:
                    check_space(part.parent, copies * total - have)
                _receive(response, part, have, total)
            return
        except HTTPError as error:
            if error.code == 416 and have:  # nothing lies beyond what we have
                if error.headers.get("Content-Range", "").endswith(f"/{have}"):
                    return
                part.unlink()
                continue
            reason = f"HTTP {error.code} {error.reason}"
            if error.code < 500:
                raise InputError(f"cannot download {url}: {reason}") from error
        except (OSError, HTTPException, ValueError) as error:
            # Errors of the file carry its name or tell of a full disk; the others are the net's.
            if getattr(error, "filename", None) or getattr(error, "errno", None) in DISK_FULL:
                raise InputError(f"cannot write {part}: {error.strerror}") from error
            reason = str(getattr(error, "reason", error))
        if best is None:
            raise InputError(f"cannot download {url}: {reason}")
        held = part.stat().st_size if part.exists() else 0
        failures, best = (1, held) if held > best else (failures + 1, best)
        if failures > retries:
            raise InputError(f"gave up on {url}: {reason}; run again to resume from {part}")
        pause = wait * 2 ** (failures - 1)
        print(f"{reason}; retry {failures} of {retries} in {pause:g} s", file=sys.stderr)
        time.sleep(pause)


def _receive(response: IO[bytes], part: Path, have: int, total: int | None) -> None:
    """Append one response to ``part``; raise ``ConnectionError`` when it ends too early."""
    bar = tqdm(desc=part.stem, total=total, initial=have, unit="B", unit_scale=True, disable=None)
    with bar, part.open("ab" if have else "wb") as file:
        while chunk := response.read(CHUNK):
            file.write(chunk)
            bar.update(len(chunk))
    received = part.stat().st_size
    if total is not None and received < total:
        raise ConnectionError(f"connection lost after {received} of {total} bytes")


def verify(path: Path, size: int | None = None, checksum: str | None = None) -> None:
    """Compare a file with its known size and checksum; a wrong file is removed.

    Raises:
        InputError: They differ.
    """
    expected, got = f"{size} bytes", f"{path.stat().st_size} bytes"
    if size is None or expected == got:
        if checksum is None:
            return
        expected, got = checksum.lower(), checksum_of(path, checksum.partition(":")[0])
    if expected != got:
        path.unlink()
        raise InputError(f"wrong file, removed: {path}: expected {expected}, got {got}")


def checksum_of(path: Path, algorithm: str = "sha256") -> str:
    """Compute ``<algorithm>:<hex>`` of a file."""
    with path.open("rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"


def record(path: Path) -> None:
    """Write a file's SHA-256 to ``FILE.sha256``, in the format of ``sha256sum --check``."""
    line = f"{checksum_of(path).partition(':')[2]}  {path.name}\n"
    path.with_name(f"{path.name}.sha256").write_text(line, encoding="utf-8")


def recorded(path: Path) -> str | None:
    """Read the checksum that ``record`` wrote for a file, ``None`` when there is none."""
    note = path.with_name(f"{path.name}.sha256")
    words = note.read_text(encoding="utf-8").split() if note.exists() else []
    return f"sha256:{words[0]}" if words else None


def check_space(folder: Path, needed: int) -> None:
    """Raise ``InputError`` when a folder's disk has less than ``needed`` bytes free."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        text = f"{needed / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free"
        raise InputError(f"not enough space in {folder}: {text}")
