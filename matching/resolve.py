"""Turn mentions into claims: the concept and the polarity of each."""

from collections.abc import Sequence
from dataclasses import replace

from matching.claim import Claim, Mention
from matching.taxonomy import Taxonomy

AROUND = 40  # characters on either side of a mention that may belong to its name
NEAR = 5  # claims before and after a group that may say which kind it stands for


def claims_of(text: str, mentions: Sequence[Mention], taxonomy: Taxonomy) -> list[Claim]:
    """Resolve the mentions of a text to concepts, in order.

    A group that refers to a kind named elsewhere ("the animal is a cow") is that kind: the nearest
    affirmed claim below it, of the `NEAR` before and behind. Where there is none, it is affirmed.
    """
    claims = [_claim(text, mention, taxonomy) for mention in mentions]
    said = list(zip(claims, mentions, strict=True))
    result = []
    for i, (claim, mention) in enumerate(said):
        is_open = claim.animal is None or taxonomy.beyond(claim.animal, ()) is not None
        near = said[max(0, i - NEAR) : i + NEAR + 1] if mention.status == "referring" else []
        kinds = [
            other
            for other, named in near
            if named.status == "affirmed"
            and other.animal not in (None, claim.animal)
            and (is_open or taxonomy.is_below(other.animal, claim.animal))
        ]
        if kinds:
            kind = min(kinds, key=lambda other: abs(other.start - claim.start))
            claim = replace(claim, animal=kind.animal)
        result.append(claim)
    return result


def _claim(text: str, mention: Mention, taxonomy: Taxonomy) -> Claim:
    negated = mention.status == "denied"
    cue = text[slice(*mention.cue)] if negated and mention.cue else None
    mention = whole(text, mention, taxonomy)
    concept = taxonomy.resolve(mention.text)
    return Claim(mention.text, mention.start, mention.end, concept, negated, cue)


def whole(text: str, mention: Mention, taxonomy: Taxonomy) -> Mention:
    """Return a mention with the words that make it another kind: the "mix" of "labrador mix"."""
    shift = max(0, mention.start - AROUND)
    for name in taxonomy.find(text[shift : mention.end + AROUND]):
        start, end = name.start + shift, name.end + shift
        if start <= mention.start and mention.end <= end and taxonomy.is_whole(text[start:end]):
            return replace(mention, text=text[start:end], start=start, end=end)
    return mention


def describe(claims: Sequence[Claim]) -> str:
    """Say the claims in one line: "dogs: dog; no cats: cat"."""
    if not claims:
        return "no animal named"
    return "; ".join(
        f"{'no ' if claim.negated else ''}{claim.mention}: {claim.animal or 'unknown'}"
        for claim in claims
    )
