"""Unpack a zip file that came from outside: ``extract_zip``."""

import shutil
import zipfile
import zlib
from pathlib import Path

from tqdm import tqdm

from common.errors import InputError
from data.download import CHUNK, check_space


def extract_zip(archive: Path, folder: Path) -> int:
    """Unpack a zip file, checking every CRC; files already there with the right size are skipped.

    Args:
        archive: The zip file.
        folder: Where its members go; no member may lie outside of it.

    Returns:
        The number of files written.

    Raises:
        InputError: A member lies outside (nothing is written then), the archive is damaged, or the
            disk is full.
    """
    root = folder.resolve()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(archive) as pack:
            members = {root / m.filename: m for m in pack.infolist() if not m.is_dir()}
            for path, member in members.items():
                if "\\" in member.filename or not path.resolve().is_relative_to(root):
                    raise InputError(f"{archive}: a member lies outside: {member.filename!r}")
            missing = {
                path: member
                for path, member in members.items()
                if not path.is_file() or path.stat().st_size != member.file_size
            }
            check_space(root, sum(member.file_size for member in missing.values()))
            for path, member in tqdm(missing.items(), desc="unpack", unit="file", disable=None):
                path.parent.mkdir(parents=True, exist_ok=True)
                part = path.with_name(f"{path.name}.part")
                try:
                    with pack.open(member) as source, part.open("wb") as file:
                        shutil.copyfileobj(source, file, CHUNK)
                    part.replace(path)
                finally:
                    part.unlink(missing_ok=True)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        text = f"damaged, or not a zip file: {archive}: {error}; delete it and run again"
        raise InputError(text) from error
    except OSError as error:
        raise InputError(f"cannot unpack {archive}: {error}") from error
    return len(missing)
