"""Names of animals and plants from WordNet, for augmenting the text model's training data.

    python data/wordnet_names.py --wordnet /usr/share/wordnet --output downloads/names.json

    python data/wordnet_names.py --output downloads/names.json --nouns data/phrases/nouns.txt

``--wordnet`` is the folder with Princeton WordNet's ``data.noun`` (Debian's package
``wordnet-base`` puts it there). The output, ``{"ANIM": [...], "PLANT": [...]}``, is what
``ner/train.py --names`` reads. ``--nouns`` writes nouns that name no animal in any sense, the most
usual first, for the templates of ``data/everyday.py``, without those of ``tests/data/things.json``,
on which the model is tested.
"""

import json
import re
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import ArgumentParser, run
from common.paths import ROOT
from data.wordnet import DEFAULT_FOLDER, read_nouns, read_senses
from matching.taxonomy import Taxonomy

ANIMAL = "05"
# Artifacts, bodies, foods, places, objects, persons, phenomena, plants, substances.
THINGS = frozenset(("06", "08", "13", "15", "17", "18", "19", "20", "27"))
CONCRETE = frozenset(("06", "13", "20"))
LEXICOGRAPHER_FILES = {"05": "ANIM", "20": "PLANT"}  # noun.animal and noun.plant, lexnames(5WN)
_RANK = re.compile(
    r"^(sub|super)?(genus|family|order|class|phylum|tribe|division) "
)  # + Latin name


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_argument("--wordnet", type=Path, default=DEFAULT_FOLDER, metavar="DIR")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE")
    parser.add_argument("--nouns", type=Path, metavar="FILE")
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


def read_nouns_of_things(folder: Path, taxonomy: Taxonomy, kept_out: set[str]) -> list[str]:
    """Return nouns for things, plants, places and persons, the most frequent first.

    Each has been tagged in WordNet's corpora, mostly so, or is one word for an artifact, a food or
    a plant, and no sense of it is an animal's. None has a word that is kept out.

    Raises:
        InputError: If the database cannot be read.
    """
    synsets = list(read_nouns(folder))
    files = {synset.offset: synset.file for synset in synsets}
    unwanted = {  # proper names, slang and slurs
        word.lower()
        for synset in synsets
        for word in synset.lemmas
        if synset.marked or not word.islower()
    }
    counted = []
    for lemma, senses in read_senses(folder).items():
        nouns = [sense for sense in senses if sense.part == "noun"]
        if not nouns or not re.fullmatch("[a-z]{3,}( [a-z]{3,})?", lemma):
            continue
        kinds = [files[sense.offset] for sense in nouns]
        count = sum(sense.count for sense in nouns)
        usual = 2 * count >= sum(sense.count for sense in senses)
        usual &= bool(count) or (kinds[0] in CONCRETE and " " not in lemma)
        if (
            usual
            and kinds[0] in THINGS
            and ANIMAL not in kinds
            and lemma not in unwanted
            and kept_out.isdisjoint(lemma.split())
        ):
            counted.append((-count, lemma))
    nouns = [lemma for _, lemma in sorted(counted)]
    return [noun for noun in nouns if not taxonomy.find(noun) and not taxonomy.resolve(noun)]


def lines_of(nouns: Iterable[str]) -> str:
    """Return nouns as lines of at most 100 characters, which break between two, never in one."""
    text = ", ".join(noun.replace(" ", "_") for noun in nouns)
    return "\n".join(textwrap.wrap(text, 100)).replace("_", " ") + "\n"


def main() -> int:
    """Write the names."""
    args = get_args_parser().parse_args()
    names = read_names(args.wordnet)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(json.dumps(names, ensure_ascii=False) + "\n", encoding="utf-8")
    if args.nouns:
        tested = json.loads((ROOT / "tests/data/things.json").read_text(encoding="utf-8"))
        nouns = read_nouns_of_things(args.wordnet, Taxonomy.load(), set(tested["nouns"]))
        args.nouns.write_text(lines_of(nouns), "utf-8")
    print("  ".join(f"{type_} {len(lemmas)}" for type_, lemmas in names.items()))
    return 0


if __name__ == "__main__":
    run(main)
