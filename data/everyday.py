"""Sentences with their animals marked, for training the text model on everyday English.

    python data/everyday.py --output downloads/everyday

writes ``train.jsonl`` and ``validation.jsonl``, one sentence a line, ``{"tokens", "mentions",
"cues"}`` (the tags are explained in ``ner/data.py``), from two sources:

- ``phrases/``: sentences and templates written by hand (``data/templates.py`` says how), with what
  each says of an animal, and many animal words that mean something else. Slots are filled with
  names from the taxonomy and with things. Whole templates, names and things are held out for
  validation.
- image captions without labels (``--captions``, ``*.jsonl`` with ``text``), where there are any:
  silver labels from the taxonomy (``data/captions.py``).
"""

import json
import random
import re
import sys
from pathlib import Path
from typing import Any

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import ArgumentParser, run
from common.errors import InputError
from common.paths import ROOT, data_root
from data.captions import from_captions
from data.templates import MARK, Names, decorate, fill, held_out, join, row_of
from matching.taxonomy import Taxonomy

PHRASES = ROOT / "data/phrases"
# How often the lines of a file are used: templates with other names each time.
FILLS = {
    "everyday.txt": 10,
    "polarity.txt": 14,
    "nonliteral.txt": 8,
    "long.txt": 10,
    "likeness.txt": 10,
    "forms.txt": 12,
    "past.txt": 12,
    "speech.txt": 12,
    "groups.txt": 10,
    "scope.txt": 12,
    "things.txt": 14,
    "senses.txt": 8,
    "registers.txt": 10,
}
JOINED = 0.25  # share of filled lines that are joined with others to one text


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_argument("--phrases", type=Path, default=PHRASES, metavar="DIR")
    parser.add_argument(
        "--captions",
        type=Path,
        default=data_root() / "captions",
        metavar="DIR",
        help="captions without labels (default: captions under FAUNACHECK_DATA)",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def read_lines(path: Path) -> list[str]:
    """Return the lines of a file that are neither empty nor comments.

    Raises:
        InputError: If it cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; expected one sentence a line") from error
    return [line for line in lines if line.strip() and not line.startswith("#")]


def read_list(path: Path) -> list[str]:
    """Return the words of a file, separated by commas or in lines of their own."""
    return re.split(r",\s*|\n", "\n".join(read_lines(path)))


def from_phrases(
    folder: Path, names: Names, unseen: Names, chance: random.Random
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return training and validation rows from the files in `FILLS`.

    Args:
        folder: Where the files are.
        names: Names for training, and for half of the validation rows.
        unseen: Names for the other half.
        chance: Source of the choices.

    Raises:
        InputError: If a file is missing.
    """
    training, validation = [], []
    for name, fills in FILLS.items():
        for line in read_lines(folder / name):
            if held_out(line):
                validation += [row_of(fill(line, part, chance)) for part in (names, unseen)]
            else:
                training += [decorate(fill(line, names, chance), chance) for _ in range(fills)]
    chance.shuffle(training)
    rows = []
    while training:
        size = chance.choice((2, 2, 3, 5)) if chance.random() < JOINED else 1
        parts = [training.pop() for _ in range(min(size, len(training)))]
        rows.append(row_of(join(parts, chance)))
    return rows, validation


def main() -> int:
    """Write the files."""
    args = get_args_parser().parse_args()
    chance = random.Random(args.seed)
    taxonomy = Taxonomy.load()
    layer = json.loads((ROOT / "data/taxonomy_everyday.json").read_text(encoding="utf-8"))
    unmarked = MARK.sub("", " ".join(read_lines(args.phrases / "nonliteral.txt")))
    parts = {
        "favourites": read_list(args.phrases / "favourites.txt"),
        "other_senses": re.findall("[a-z]+", unmarked.lower()),
        "listed": [concept for concept in layer["concepts"] if concept in taxonomy.concepts],
        "things": read_list(args.phrases / "nouns.txt"),
        "given": read_list(args.phrases / "given_names.txt"),
    }
    names, unseen = (Names(taxonomy, **parts, validation=part) for part in (False, True))
    training, validation = from_phrases(args.phrases, names, unseen, chance)
    captions = from_captions(args.captions, taxonomy, chance)
    args.output.mkdir(parents=True, exist_ok=True)
    for split, rows in {"train": training + captions, "validation": validation}.items():
        with open(args.output / f"{split}.jsonl", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    print(f"train: {len(training)} from phrases, {len(captions)} captions")
    print(f"validation: {len(validation)}")
    return 0


if __name__ == "__main__":
    run(main)
