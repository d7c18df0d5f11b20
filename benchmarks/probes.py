"""What must not be taken for an animal, and what must not matter to the reader of claims.

Each probe returns rows by name: a text, and whether it is read wrongly (or which share of it is).
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from common.text.words import split_words
from matching.claim import Claim
from matching.taxonomy import Taxonomy
from ner.report import ClaimExample, Spans, claim_spans

Read = Callable[[list[str]], Sequence[Sequence[Claim]]]
Rows = dict[str, list[tuple[str, float]]]
Renamed = dict[str | None, str]

FRAMES = {
    "nouns": (
        "There is a X in the picture.",
        "There is no X in the picture.",
        "This is not a X.",
        "The X is not in the picture.",
        "There is a cow, but no X.",
    ),
    "names": (
        "X is sleeping on the sofa.",
        "There is no X in the photo.",
        "X is not in the picture.",
        "There is a cow next to X.",
    ),
}
ARTICLE = re.compile(r"\b([Aa])n?(?=\s+$)")
NO_ANIMAL = re.compile(r"\b(gummy bears|kids|kites?|pen|teddy bears|workers)\b")  # in VALSE
DENIED = re.compile(r"\bno (\w+ )?$")
OTHERS = ("badger", "otter", "giraffe", "iguana", "puffin", "hyena", "armadillo")
NUMBERLESS = re.compile(  # singular, plural or neither
    r"(.* )?(antelope|bison|boar|buffalo|cattle|deer|fish|fowl|koi|livestock|moose|pike|poultry"
    r"|sheep|shrimp|waterfowl|wildebeest|wildlife)"
)


def put(text: str, start: int, end: int, word: str) -> str:
    """Replace a span by a word, with the article before it that the word wants."""
    article = r"\1n" if word[0].lower() in "aeiou" else r"\1"
    return ARTICLE.sub(article, text[:start]) + word + text[end:]


def things(read: Read, words: dict[str, list[str]]) -> Rows:
    """Tell which nouns and names are read as animals, in each frame and together."""
    rows: Rows = {}
    for kind, frames in FRAMES.items():
        for frame in frames:
            place = frame.index("X")
            texts = [put(frame, place, place + 1, word) for word in words[kind]]
            rows[frame] = []
            for text, word, claims in zip(texts, words[kind], read(texts), strict=True):
                start = text.index(word)
                wrong = any(c.start < start + len(word) and start < c.end for c in claims)
                rows[frame].append((text, wrong))
        flags = zip(*([flag for _, flag in rows[frame]] for frame in frames), strict=True)
        means = (sum(part) / len(frames) for part in flags)
        rows[f"all {kind}"] = list(zip(words[kind], means, strict=True))
    return rows


def existence_claims(statement: str, taxonomy: Taxonomy) -> Spans:
    """Return what a statement of VALSE claims: a "no" denies the noun that it belongs to."""
    none = [match.span() for match in NO_ANIMAL.finditer(statement)]
    return {
        (name.start, name.end, bool(DENIED.search(statement[: name.start].lower())))
        for name in taxonomy.find(statement)
        if not any(start <= name.start < end for start, end in none)
    }


def existence(read: Read, statements: Iterable[dict[str, str]], taxonomy: Taxonomy) -> Rows:
    """Tell which of VALSE's statements are read wrongly (Parcalabescu et al., ACL 2022)."""
    rows: Rows = {}
    for row in statements:
        for kind in ("caption", "foil"):
            gold, (claims,) = existence_claims(row[kind], taxonomy), read([row[kind]])
            name = f"VALSE, {kind}s {'with' if gold else 'without'} animals"
            rows.setdefault(name, []).append((row[kind], claim_spans(claims) != gold))
    return rows


def in_number(word: str, mention: str, taxonomy: Taxonomy) -> str | None:
    """Return a word in the number of a mention, None where its form does not say."""
    name, concept = mention.lower(), taxonomy.resolve(mention)
    if concept is None or NUMBERLESS.fullmatch(name):
        return None
    if name in taxonomy.names(concept):
        return word
    return f"{word}s" if name in taxonomy.concepts[concept].forms and name[-1] == "s" else None


def other_animal(example: ClaimExample, other: str, taxonomy: Taxonomy) -> tuple[str, Renamed]:
    """Put another animal into the place of the first that stands alone and whose number is plain.

    Returns:
        The text, and the new concept by the old one.
    """
    text = example.text
    concepts = [taxonomy.resolve(claim["mention"]) for claim in example.claims]
    for claim, concept in zip(example.claims, concepts, strict=True):
        mention, span = claim["mention"], (claim["start"], claim["end"])
        below = [c for c in concepts if c and concept and taxonomy.is_below(c, concept)]
        if len(below) == 1 and (word := in_number(other, mention, taxonomy)):
            begins = span[0] == 0 and mention[0].isupper()
            word = word.upper() if mention.isupper() else word.capitalize() if begins else word
            return put(text, *span, word), {concept: other}
    return text, {}


def variants(
    example: ClaimExample, other: str, taxonomy: Taxonomy, nouns: list[str]
) -> dict[str, tuple[str, Renamed]]:
    """Return changed texts by the name of the change, with the concepts that it renames."""
    text, changed = example.text, {}
    changed["letters and marks apart (NFD)"] = unicodedata.normalize("NFD", text)
    changed["a space at the end"] = f"{text} "
    if "&" not in text:  # entities have a case
        changed |= {"lower case": text.lower(), "upper case": text.upper()}
    spaces = [match.start() for match in re.finditer(" ", text)] or [len(text)]
    middle = spaces[len(spaces) // 2]
    changed["a line break for a space"] = f"{text[:middle]}\n{text[middle + 1 :]}"
    places = [(c["start"], c["end"]) for c in example.claims[:1]]
    places += [(w.start, w.end) for w in sorted(split_words(text), key=lambda w: -len(w.text))]
    if not re.search(r"[<#\[*~]", text):
        start, end = places[0]
        changed["<em>word</em>"] = f"{text[:start]}<em>{text[start:end]}</em>{text[end:]}"
        changed["**word**"] = f"{text[:start]}**{text[start:end]}**{text[end:]}"
    if thing := re.search(rf"\b({'|'.join(nouns)})\b", text):
        similar = nouns[nouns.index(thing[0]) - 1]  # the list is in groups
        changed["another thing"] = put(text, *thing.span(), similar)
    result: dict[str, tuple[str, Renamed]] = {name: (new, {}) for name, new in changed.items()}
    if other not in text.lower():
        result["another animal"] = other_animal(example, other, taxonomy)
    return {name: row for name, row in result.items() if row[0] != text}


def changes(
    read: Read, examples: Iterable[ClaimExample], taxonomy: Taxonomy, nouns: list[str]
) -> Rows:
    """Tell which changes that should not matter change the claims (CheckList, ACL 2020)."""
    rows: Rows = {}
    for i, example in enumerate(examples):
        (base,) = read([example.text])
        changed = variants(example, OTHERS[i % len(OTHERS)], taxonomy, nouns)
        for name, (text, renamed) in changed.items():
            expected = sorted((str(renamed.get(c.animal, c.animal)), c.negated) for c in base)
            found = sorted((str(c.animal), c.negated) for c in read([text])[0])
            rows.setdefault(name, []).append((text, found != expected))
    return rows
