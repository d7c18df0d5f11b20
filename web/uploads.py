"""Tables and zips that a visitor of the page uploads."""

import lzma
import shutil
import tempfile
import zipfile
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from common.errors import InputError
from common.pairs.table import answer_table
from engine.verifier import Verifier

MAX_UPLOAD = 2**30  # bytes of an uploaded file, and of a zip's photos


def answer_uploads(
    verifier: Verifier, table: Path, photos: Path | None, output: Path
) -> tuple[str, str]:
    """Answer an uploaded table, whose images are names of files in a zip of photos.

    Returns:
        The summary and the path of the table of answers.

    Raises:
        InputError: If the table or the zip cannot be read.
    """
    answers = output / f"answers{table.suffix}"

    def rows(pairs: Iterable[tuple[str, str]], _: Path) -> Iterator[dict[str, Any]]:
        waiting: deque[str] = deque()

        def given() -> Iterator[tuple[str, str]]:
            for text, image in pairs:
                waiting.append(image)
                yield text, str(names.get(image.removeprefix("./"), folder / "none"))

        for answer in verifier.verify_many(given()):  # opens nothing but what was uploaded
            image = waiting.popleft()
            row = answer.to_row() | {"image": image}
            if row["error"]:
                row["error"] = f"{image}: {row['error'].removeprefix(f'{answer.image}: ')}"
            yield row

    with tempfile.TemporaryDirectory(prefix="faunacheck-") as name:
        folder = Path(name)
        names = unpack(photos, folder) if photos else {}
        return str(answer_table(rows, verifier.columns, table, answers)), str(answers)


def unpack(archive: Path, folder: Path) -> dict[str, Path]:
    """Unpack a zip under numbers, so that no name in it can lead anywhere.

    Returns:
        By name in the zip, the file.

    Raises:
        InputError: If it cannot be read or is too large.
    """
    found = {}
    try:
        with zipfile.ZipFile(archive) as file:
            members = [member for member in file.infolist() if not member.is_dir()]
            if sum(member.file_size for member in members) > MAX_UPLOAD:
                raise InputError(f"the zip holds more than {MAX_UPLOAD // 2**20:,} MiB")
            for number, member in enumerate(members):
                path = folder / str(number)
                with file.open(member) as source, path.open("wb") as target:
                    shutil.copyfileobj(source, target)
                found[member.filename] = path
    except (
        *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError),
        *(RuntimeError, NotImplementedError, ValueError),  # encrypted, of another kind, odd names
    ) as error:
        raise InputError(f"the zip cannot be read ({error})") from error
    return found
