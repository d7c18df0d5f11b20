"""Sentences with their animals marked, for training the text model on everyday English.

    python data/everyday.py --output downloads/everyday

writes ``train.jsonl`` and ``validation.jsonl``, one sentence a line, ``{"tokens", "mentions",
"cues"}`` (the tags are explained in ``ner/data.py``), from two sources:

- ``phrases/``: sentences and templates written by hand, with the polarity of each animal, the words
  that deny it, and many animal words that mean something else. The slots of templates are filled
  with names from the taxonomy. Whole lines are held out for validation.
- image captions without labels (``--captions``, ``*.jsonl`` with ``text``), where there are any:
  silver labels from the taxonomy. A name counts as a mention only where the words around it leave
  no doubt; it is left open next to another noun, near toys and statues, and where the word has
  other senses.
"""

import json
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import ArgumentParser, run
from common.errors import InputError
from common.paths import ROOT, data_root
from matching.taxonomy import Taxonomy

PHRASES = ROOT / "data/phrases"
# How often the lines of a file are used: templates with other names each time.
FILLS = {"everyday.txt": 10, "polarity.txt": 14, "nonliteral.txt": 8, "long.txt": 10}
BASE = 5  # weight of a favourite whose word has no other senses in the training data
HELD_OUT = 20  # every 20th line is for validation
JOINED = 0.25  # share of filled lines that are joined with others to one text
CAPTIONS = {True: 8000, False: 4000}  # with and without an animal
SEEN = 800  # captions about one animal
# Share of slots filled with the animals that people name most, with names that the hand-written
# layer of the taxonomy lists, and with any name of the taxonomy.
TIERS = (0.5, 0.35, 0.15)

_MARK = re.compile(r"\{([+-])(s?)\}|\[([+-])([^\]]+)\]|<([^<>]+)>")
_SLOT = re.compile(r"\{([+-])(s?)\}")


@dataclass
class Marked:
    """A text with marked spans of characters."""

    text: str
    mentions: list[tuple[int, int, str]]  # start, end, polarity
    cues: list[tuple[int, int]]


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


class Names:
    """Names for the slots of templates, singular and plural.

    Args:
        taxonomy: Where they come from.
        favourites: Names that people use most.
        other_senses: Words that stand for something else in the training data. A favourite is
            drawn the more often, so that no name is seen in other senses only.
        listed: Concepts of its hand-written layer.
    """

    def __init__(
        self,
        taxonomy: Taxonomy,
        favourites: Iterable[str],
        other_senses: Iterable[str],
        listed: Iterable[str],
    ):
        import inflect

        self.grammar = inflect.engine()
        seen = Counter(other_senses)
        pairs = [self._pair(name, taxonomy) for name in favourites if taxonomy.resolve(name)]
        self.tiers = (
            [pair for pair in pairs for _ in range(BASE + sum(seen[name] for name in set(pair)))],
            self._pairs(taxonomy, listed),
            self._pairs(taxonomy, taxonomy.concepts),
        )

    def _pair(self, name: str, taxonomy: Taxonomy) -> tuple[str, str]:
        plural = self.grammar.plural_noun(name)
        return name, plural if taxonomy.resolve(plural) == taxonomy.resolve(name) else name

    def _pairs(self, taxonomy: Taxonomy, concepts: Iterable[str]) -> list[tuple[str, str]]:
        names = {name for concept in concepts for name in taxonomy.names(concept)}
        spelt = sorted(name for name in names if re.fullmatch(r"[A-Za-z' -]+", name))
        return [self._pair(name, taxonomy) for name in spelt]

    def draw(self, chance: random.Random, plural: bool) -> str:
        """A name, spelt as people do: lower case, now and then with capitals."""
        (pairs,) = chance.choices(self.tiers, TIERS)
        name = chance.choice(pairs)[plural]
        return name.title() if chance.random() < 0.1 else name


def fill(template: str, names: Names, chance: random.Random) -> Marked:
    """Replace slots by names and take the marks out.

    Args:
        template: ``{+}`` and ``{-}`` are slots for an affirmed and a denied animal, ``{+s}`` and
            ``{-s}`` for several; ``[+cow]`` and ``[-cow]`` mark a name; ``<no>`` marks a cue.
        names: What the slots are filled with.
        chance: Source of the choices.
    """
    plain = _MARK.sub("", template)
    shouted = plain.isupper()
    relaxed = not any(map(str.isupper, plain)) and not plain.endswith(".")
    if chance.random() < 0.08:
        template = re.sub(r"(?<=\w)['’](?=\w)", "", template)  # dont, isnt
    text, mentions, cues, last = "", [], [], 0
    pieces: list[tuple[str, str]] = []  # what, text
    for mark in _MARK.finditer(template):
        pieces.append(("", template[last : mark.start()]))
        if mark[1]:
            pieces.append((mark[1] + "slot", mark[2]))
        elif mark[3]:
            pieces.append((mark[3], mark[4]))
        else:
            pieces.append(("cue", mark[5]))
        last = mark.end()
    pieces.append(("", template[last:]))
    for what, piece in pieces:
        if what == "cue" and _SLOT.search(piece):
            raise InputError(f"a cue with a slot inside: {template}")
        if what.endswith("slot"):
            piece = names.draw(chance, bool(piece))
            article = re.search(r"\b(an?) $", text, re.IGNORECASE)
            if article:
                right = names.grammar.a(piece.lower()).split()[0]
                right = right.upper() if shouted else right
                right = right.capitalize() if article[1][0] == "A" and not shouted else right
                text = text[: article.start()] + right + " "
            begins = not text.strip() or text.rstrip()[-1] in ".!?"
            if shouted:
                piece = piece.upper()
            elif begins and not relaxed:
                piece = piece[0].upper() + piece[1:]
        if what[:1] in ("+", "-"):
            mentions.append((len(text), len(text) + len(piece), what[0]))
        elif what == "cue":
            cues.append((len(text), len(text) + len(piece)))
        text += piece
    return Marked(text, mentions, cues)


def join(parts: Sequence[Marked]) -> Marked:
    """Several texts as one."""
    text, mentions, cues = "", [], []
    for part in parts:
        if text:
            text += " " if text[-1] in '.!?"”' else ". "
        shift = len(text)
        mentions += [(start + shift, end + shift, what) for start, end, what in part.mentions]
        cues += [(start + shift, end + shift) for start, end in part.cues]
        text += part.text
    return Marked(text, mentions, cues)


def row_of(marked: Marked) -> dict[str, Any]:
    """A marked text as words with tags."""
    from common.text.words import split_words

    words = split_words(marked.text)
    tags, cues = ["O"] * len(words), [0] * len(words)
    for start, end, polarity in marked.mentions:
        prefix = "B"
        for i, word in enumerate(words):
            if word.start < end and word.end > start:
                inside = start <= word.start and word.end <= end
                tags[i] = prefix + polarity if inside else "?"
                prefix = "I"
    for start, end in marked.cues:
        for i, word in enumerate(words):
            if word.start < end and word.end > start:
                cues[i] = 1
    return {"tokens": [word.text for word in words], "mentions": tags, "cues": cues}


def _lines(path: Path) -> list[str]:
    """The lines of a file that are neither empty nor comments."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; expected one sentence a line") from error
    return [line for line in lines if line.strip() and not line.startswith("#")]


def from_phrases(
    folder: Path, names: Names, chance: random.Random
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Training and validation rows from the files in `FILLS`.

    Raises:
        InputError: If a file is missing.
    """
    training, validation = [], []
    for name, fills in FILLS.items():
        lines = _lines(folder / name)
        for i, line in enumerate(lines):
            if i % HELD_OUT == 0:
                validation += [row_of(fill(line, names, chance)) for _ in range(2)]
            else:
                training += [fill(line, names, chance) for _ in range(fills)]
    chance.shuffle(training)
    rows = []
    while training:
        size = chance.choice((2, 2, 3, 5)) if chance.random() < JOINED else 1
        rows.append(row_of(join([training.pop() for _ in range(min(size, len(training)))])))
    return rows, validation


# Words between which an animal's name is a noun of its own, seen by counting in captions.
AFTER = frozenset(
    re.findall(
        r"\w+",
        """
        is are was were has have had does do did can could may might will would in on at with and or
        that which who while near next by over to through down up as outside inside behind during
        under out across around along from into back of above together off beside for nearby about
        overhead away past between toward towards among just both all asleep
        run runs jumps jump leaps leap walks walk sits sit stands stand plays plays looks look lies
        lie lays lay swims swim chases chase carries carry catches catch holds hold watches watch
        flies eats eat grazes graze bites bite sleeps sleep rests rest shakes sniffs sniff licks
        lick climbs climb digs dig barks bark drinks drink follows follow pulls pull rolls roll
        stares stare hangs hang peeks peek splashes splash wrestle wrestles fight chews chew tries
        try gets get takes take makes make goes go comes come bounds retrieves fetches pounces wades
        trots waits poses""",
    )
)
NOISE = re.compile(
    r"\b(toys?|stuffed|teddy|teddies|statues?|plush|sculptures?|figurines?|costumes?|balloons?|"
    r"paintings?|painted|drawings?|cartoons?|murals?|ornaments?|carousel|kites?|shirts?|rubber|"
    r"plastic|fake|inflatable|ceramic|wooden|mechanical|hot|chili|hello|mickey|baseball|cricket|"
    r"computer|keyboard|desk|fried|cooked|grilled|sandwich|soup|plate|bowl|food|cake|salad|hat|"
    r"mask|mascot|shaped|themed|print|figures?|dolls?|pants|team|game|horn|jet|rug|sign|logo|"
    r"no|not|without|nobody|none|never)\b|n['’]t\b",
    re.IGNORECASE,
)


def silver(text: str, taxonomy: Taxonomy) -> dict[str, Any]:
    """Label a caption by its words; what is in doubt gets ``?``."""
    from common.text.words import split_words

    words = split_words(text)
    tags = ["O"] * len(words)
    doubtful = NOISE.search(text)
    for name in taxonomy.find(text):
        inside = [i for i, w in enumerate(words) if w.start < name.end and w.end > name.start]
        after = words[inside[-1] + 1].text.lower() if inside[-1] + 1 < len(words) else "."
        clear = after in AFTER or not after.isalpha() or after.endswith(("ing", "ed"))
        clear &= not doubtful and not name.ambiguous and after != "-"
        for k, i in enumerate(inside):
            tags[i] = ("I+" if k else "B+") if clear else "?"
    row: dict[str, Any] = {"tokens": [word.text for word in words], "mentions": tags}
    return row if doubtful else row | {"cues": [0] * len(words)}


def from_captions(folder: Path, taxonomy: Taxonomy, chance: random.Random) -> list[dict[str, Any]]:
    """Training rows from captions: rare animals first, and some captions without any."""
    texts = list(dict.fromkeys(_captions(folder)))
    chance.shuffle(texts)
    seen: dict[str, int] = {}
    chosen: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for text in texts:
        names = {name.concept for name in taxonomy.find(text)}
        kind = bool(names)
        often = bool(names) and min(seen.get(name, 0) for name in names) > SEEN
        if often or len(chosen[kind]) >= CAPTIONS[kind]:
            continue
        row = silver(text, taxonomy)
        if kind and not any(tag[0] == "B" for tag in row["mentions"]) and chance.random() < 0.8:
            continue
        for name in names:
            seen[name] = seen.get(name, 0) + 1
        chosen[kind].append(row)
    return chosen[True] + chosen[False]


def _captions(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.jsonl")):
        with open(path, encoding="utf-8") as file:
            for line in file:
                yield json.loads(line)["text"]


def main() -> int:
    """Write the files."""
    args = get_args_parser().parse_args()
    chance = random.Random(args.seed)
    taxonomy = Taxonomy.load()
    listed = json.loads((ROOT / "data/taxonomy_everyday.json").read_text(encoding="utf-8"))
    favourites = re.split(r",\s*|\n", "\n".join(_lines(args.phrases / "favourites.txt")))
    plain = _MARK.sub("", " ".join(_lines(args.phrases / "nonliteral.txt"))).lower()
    names = Names(
        taxonomy,
        favourites,
        re.findall(r"\w+", plain),
        [concept for concept in listed["concepts"] if concept in taxonomy.concepts],
    )
    training, validation = from_phrases(args.phrases, names, chance)
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
