"""Names of animals and plants from WordNet, for augmenting the text model's training data.

    python data/wordnet_names.py --wordnet /usr/share/wordnet --output downloads/names.json

``--wordnet`` is the folder with Princeton WordNet's ``data.noun`` (Debian's package
``wordnet-base`` puts it there). The output, ``{"ANIM": [...], "PLANT": [...]}``, is what
``ner/train.py --names`` reads.
"""

import json
import re
import sys
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import ArgumentParser, run
from data.wordnet import DEFAULT_FOLDER, read_nouns

LEXICOGRAPHER_FILES = {"05": "ANIM", "20": "PLANT"}  # noun.animal and noun.plant, lexnames(5WN)
_RANK = re.compile(
    r"^(sub|super)?(genus|family|order|class|phylum|tribe|division) "
)  # + Latin name


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_argument("--wordnet", type=Path, default=DEFAULT_FOLDER, metavar="DIR")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE")
    return parser


def read_names(folder: Path) -> dict[str, list[str]]:
    """Read the lemmas of noun.animal and noun.plant.

    Raises:
        InputError: If the database cannot be read.
    """
    names: dict[str, set[str]] = {type_: set() for type_ in LEXICOGRAPHER_FILES.values()}
    for synset in read_nouns(folder):
        if synset.file in LEXICOGRAPHER_FILES:
            lemmas = (_RANK.sub("", lemma) for lemma in synset.lemmas)
            names[LEXICOGRAPHER_FILES[synset.file]].update(lemmas)
    return {type_: sorted(lemmas) for type_, lemmas in names.items()}


def main() -> int:
    """Write the names."""
    args = get_args_parser().parse_args()
    names = read_names(args.wordnet)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(json.dumps(names, ensure_ascii=False) + "\n", encoding="utf-8")
    print("  ".join(f"{type_} {len(lemmas)}" for type_, lemmas in names.items()))
    return 0


if __name__ == "__main__":
    run(main)
