"""Image captions with silver labels: names of the taxonomy where the context leaves no doubt.

A name is left open next to another noun, near toys and statues, and where the word has other
senses.
"""

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common.text.words import split_words
from matching.taxonomy import Taxonomy

CAPTIONS = {True: 8000, False: 4000}  # with and without an animal
SEEN = 800  # captions about one animal

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
