"""Get the English part of MultiNERD, clean, as JSON Lines.

    python data/multinerd.py --output DIR                # from the Hugging Face hub, 48 MB
    python data/multinerd.py --output DIR --source DIR2  # from files already at hand
    python data/multinerd.py --output DIR --base-url https://mirror.example.org/multinerd

DIR gets train.jsonl, validation.jsonl and test.jsonl, one sentence a line, and keeps the files of
the hub under raw/ (later: --source DIR/raw):

    {"tokens": ["A", "brown", "bear", "."], "tags": ["O", "B-ANIM", "I-ANIM", "O"]}

The hub's data set, as the ``datasets`` library loads it, holds every English sentence twice, and a
sentence may stand in more than one split. So copies are dropped first; then validation loses what
test has, and train what either has. stderr says how many.

A source folder holds the hub's files (train/train_en.jsonl, val/val_en.jsonl, test/test_en.jsonl)
or train.jsonl, validation.jsonl and test.jsonl, with rows as on the hub:

    {"tokens": ["A", "brown", "bear", "."], "ner_tags": [0, 7, 8, 0], "lang": "en"}
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import ArgumentParser, run
from common.errors import InputError

Sentence = dict[str, list[str]]  # {"tokens": [...], "tags": [...]}, equally long

SOURCE = "Babelscape/multinerd"
REVISION = "2814b78e7af4b5a1f1886fe7ad49632de4d9dd25"  # the hub's main since April 2023
HUB_URL = f"https://huggingface.co/datasets/{SOURCE}/resolve/{REVISION}"
FILES = {
    "train": "train/train_en.jsonl",
    "validation": "val/val_en.jsonl",
    "test": "test/test_en.jsonl",
}
# As the hub publishes it; it has none for the two smaller files, which lie outside its LFS storage.
CHECKSUMS = {"train": "sha256:7d557f565ad2ea11a6a4df947d87760d1d6775c47868029fc12a50dd45991c22"}
# The order of the hub's ids, B-PER 1 to I-VEHI 30; other copies (tner/multinerd) number otherwise.
TYPES = "PER ORG LOC ANIM BIO CEL DIS EVE FOOD INST MEDIA MYTH PLANT TIME VEHI"
TAGS = ("O", *(f"{prefix}-{kind}" for kind in TYPES.split() for prefix in "BI"))  # index = id


def tag_names(ids: list[int]) -> list[str]:
    """Turn tag ids into names.

    Raises:
        ValueError: An id is not one of MultiNERD's 31.
    """
    if wrong := [i for i in ids if type(i) is not int or not 0 <= i < len(TAGS)]:
        raise ValueError(f"tag id {wrong[0]!r} is not in 0..{len(TAGS) - 1}")
    return [TAGS[i] for i in ids]


def parse(line: str) -> Sentence | None:
    """Read a row of the hub's files; ``None`` when it is in another language than English.

    Raises:
        ValueError: The line is not such a row.
    """
    row = json.loads(line)
    fields = [row.get(key) for key in ("tokens", "ner_tags")] if isinstance(row, dict) else [None]
    if not all(isinstance(field, list) for field in fields):
        raise ValueError('expected {"tokens": [...], "ner_tags": [...], "lang": "en"}')
    if row.get("lang", "en") != "en":
        return None
    tokens, tags = row["tokens"], tag_names(row["ner_tags"])
    if len(tokens) != len(tags):
        raise ValueError(f"{len(tokens)} tokens, but {len(tags)} tags")
    return {"tokens": tokens, "tags": tags}


def deduplicate(sentences: Iterable[Sentence]) -> list[Sentence]:
    """Keep the first of all sentences with the same tokens."""
    first: dict[tuple[str, ...], Sentence] = {}
    for sentence in sentences:
        first.setdefault(tuple(sentence["tokens"]), sentence)
    return list(first.values())


def remove_overlap(sentences: Iterable[Sentence], others: Iterable[Sentence]) -> list[Sentence]:
    """Keep the sentences whose tokens are those of none of the others."""
    seen = {tuple(other["tokens"]) for other in others}
    return [sentence for sentence in sentences if tuple(sentence["tokens"]) not in seen]


def clean(
    splits: dict[str, list[Sentence]],
) -> tuple[dict[str, list[Sentence]], dict[str, dict[str, int]]]:
    """Drop copies within each split, and from train and validation what a split after them has.

    Args:
        splits: The sentences of ``train``, ``validation`` and ``test``.

    Returns:
        The cleaned splits, and for each how many sentences were dropped, by reason.
    """
    kept: dict[str, list[Sentence]] = {}
    dropped: dict[str, dict[str, int]] = {}
    for name in ("test", "validation", "train"):
        rest = deduplicate(splits[name])
        dropped[name] = {"copies": len(splits[name]) - len(rest)}
        for other, sentences in kept.items():
            before, rest = len(rest), remove_overlap(rest, sentences)
            dropped[name][f"also in {other}"] = before - len(rest)
        kept[name] = rest
    return kept, dropped


def read_split(path: Path) -> list[Sentence]:
    """Read the English sentences of a file in the hub's layout.

    Raises:
        InputError: The file cannot be read, or a line is not a row of MultiNERD.
    """
    sentences = []
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    sentence = parse(line) if line.strip() else None
                except ValueError as error:
                    raise InputError(f"{path}, line {number}: {error}") from error
                if sentence:
                    sentences.append(sentence)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    if not sentences:
        raise InputError(f"no English sentences in {path}")
    return sentences


def write(sentences: list[Sentence], target: Path) -> None:
    """Write JSON Lines; the file appears when it is complete, in place of an older one."""
    part = target.with_name(f"{target.name}.part")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in sentences)
        part.replace(target)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror}") from error


def find_files(source: str, base_url: str, raw: Path) -> dict[str, Path]:
    """Take the three files of a folder, or download them (or verify what was downloaded).

    Args:
        source: A folder, or ``SOURCE`` for a download.
        base_url: Address that the paths in ``FILES`` are relative to.
        raw: Where downloads go, each with its checksum recorded unless the hub publishes one.

    Returns:
        Split to file.

    Raises:
        InputError: There is no such folder, or a file cannot be downloaded or is damaged.
    """
    from data.download import download, record, recorded

    if source != SOURCE:
        if not Path(source).is_dir():
            raise InputError(
                f"no such folder: {source!r}; without --source, {SOURCE} is downloaded"
            )
        flat = {split: Path(source) / f"{split}.jsonl" for split in FILES}
        hub = {split: Path(source) / name for split, name in FILES.items()}
        return {split: flat[split] if flat[split].is_file() else hub[split] for split in FILES}
    files = {split: raw / name for split, name in FILES.items()}
    for split, path in files.items():
        published = CHECKSUMS.get(split) if base_url == HUB_URL else None
        checksum = published or recorded(path)
        download(f"{base_url.rstrip('/')}/{FILES[split]}", path, checksum=checksum)
        if checksum is None:
            record(path)
    return files


def get_args_parser() -> ArgumentParser:
    """Build the parser of this script's options."""
    parser = ArgumentParser(__doc__)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where it goes")
    source = parser.add_mutually_exclusive_group()
    text = f"folder with the files, or name on the hub ({SOURCE}, the default)"
    source.add_argument("--source", default=SOURCE, help=text)
    text = "download from a mirror of the hub's files"
    source.add_argument("--base-url", default=HUB_URL, metavar="URL", help=text)
    return parser


def main() -> int:
    """Fetch, clean and write the three splits."""
    args = get_args_parser().parse_args()
    files = find_files(args.source, args.base_url, args.output / "raw")
    targets = {split: args.output / f"{split}.jsonl" for split in FILES}
    if any(targets[split].resolve() == files[split].resolve() for split in FILES):
        raise InputError(f"--output would overwrite the source: {args.output}")
    splits = {split: read_split(path) for split, path in files.items()}
    kept, dropped = clean(splits)
    for split, target in targets.items():
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in dropped[split].items())
        print(f"{split}: {len(splits[split]):,} read, dropped {reasons}", file=sys.stderr)
        write(kept[split], target)
        animals = sum(sentence["tags"].count("B-ANIM") for sentence in kept[split])
        print(f"{target}: {len(kept[split]):,} sentences, {animals:,} animal mentions")
    return 0


if __name__ == "__main__":
    run(main)
