"""Get Animals with Attributes 2 (AwA2): 37,322 photos of 50 kinds of animals.

Download, verify and unpack the photos: 13 GB, and as much again to unpack them:

    python data/awa2.py --output DIR

An archive already at hand, another address, or only the class list and attributes (32 KB):

    python data/awa2.py --output DIR --archive AwA2-data.zip
    python data/awa2.py --output DIR --url https://mirror.example.org/AwA2-data.zip
    python data/awa2.py --output DIR --base

The photos come to DIR/Animals_with_Attributes2/JPEGImages/<class>/*.jpg. A run that was cut goes on
where it stopped. We know of no published checksum, so every CRC in the archive is checked, and the
SHA-256 of the first good download is kept in AwA2-data.zip.sha256 and demanded from then on.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import ArgumentParser, run
from common.errors import InputError

DATA_URL = "https://cvml.ista.ac.at/AwA2/AwA2-data.zip"  # 13 GB
BASE_URL = "https://cvml.ista.ac.at/AwA2/AwA2-base.zip"  # 32 KB
FOLDER = "Animals_with_Attributes2"  # the one folder in both archives
PUBLISHED = (50, 37_322)  # classes and photos; Xian et al., TPAMI 2018


def get_archive(url: str, folder: Path) -> Path:
    """Download the archive, or verify the one that an earlier run downloaded.

    Args:
        url: Address of the zip file.
        folder: Where it is kept, with its ``.sha256`` file.

    Returns:
        The archive.

    Raises:
        InputError: It cannot be had, or is not what the first download was.
    """
    from data.download import download, recorded

    name = Path(urlsplit(url).path).name
    if not name.endswith(".zip"):
        raise InputError(f"not the address of a zip file: {url!r}")
    archive = folder / name
    return download(url, archive, checksum=recorded(archive), copies=2)


def count_photos(folder: Path) -> dict[str, int]:
    """Count the photos of each class.

    Args:
        folder: ``Animals_with_Attributes2`` as unpacked.

    Returns:
        Class name to its number of photos: the classes of ``classes.txt``, or those with photos.
    """
    found = Counter(photo.parent.name for photo in folder.glob("JPEGImages/*/*.jpg"))
    listing = folder / "classes.txt"
    rows = listing.read_text(encoding="utf-8").splitlines() if listing.is_file() else sorted(found)
    return {(name := row.split()[-1]): found[name] for row in rows if row.strip()}  # "  12\tmole"


def get_args_parser() -> ArgumentParser:
    """Build the parser of this script's options."""
    parser = ArgumentParser(__doc__)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where it goes")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--url", default=DATA_URL, help="download from another address")
    source.add_argument("--archive", type=Path, metavar="FILE", help="unpack this, no download")
    source.add_argument("--base", action="store_true", help="no photos: classes and attributes")
    return parser


def main() -> int:
    """Download or take the archive, unpack it, and say what is where."""
    args: argparse.Namespace = get_args_parser().parse_args()
    from data.download import checksum_of, record, recorded
    from data.unpack import extract_zip

    archive = args.archive
    if archive is None:
        archive = get_archive(BASE_URL if args.base else args.url, args.output)
    elif not archive.is_file():
        raise InputError(f"no such file: {archive}")
    elif (known := recorded(archive)) and (got := checksum_of(archive)) != known:
        raise InputError(f"wrong file: {archive}: expected {known}, got {got}")
    written = extract_zip(archive, args.output)
    counts = count_photos(args.output / FOLDER)
    photos = sum(counts.values())
    if not counts or not (photos or args.base):
        raise InputError(f"not AwA2, no {FOLDER}/JPEGImages/<class>/*.jpg in {archive}")
    if args.archive is None and recorded(archive) is None:
        record(archive)
    if photos and (len(counts), photos) != PUBLISHED:
        text = f"note: AwA2 as published has {PUBLISHED[0]} classes and {PUBLISHED[1]:,} photos"
        print(text, file=sys.stderr)
    print(f"archive   {archive} ({archive.stat().st_size:,} bytes)")
    print(f"unpacked  {args.output / FOLDER} ({written:,} new files)")
    print(f"{len(counts)} classes, {photos:,} photos")
    return 0


if __name__ == "__main__":
    run(main)
