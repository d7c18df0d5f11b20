"""Turn mentions into claims: the concept and the polarity of each."""

from collections.abc import Sequence
from dataclasses import replace

from matching.claim import Claim, Mention
from matching.taxonomy import Taxonomy

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
        near = said[max(0, i - NEAR) : i + NEAR + 1] if mention.status == "referring" else []
        kinds = [
            other
            for other, named in near
            if named.status == "affirmed"
            and other.animal not in (None, claim.animal)
            and (claim.animal is None or taxonomy.is_below(other.animal, claim.animal))
        ]
        if kinds:
            kind = min(kinds, key=lambda other: abs(other.start - claim.start))
            claim = replace(claim, animal=kind.animal)
        result.append(claim)
    return result


def _claim(text: str, mention: Mention, taxonomy: Taxonomy) -> Claim:
    negated = mention.status == "denied"
    cue = text[slice(*mention.cue)] if negated and mention.cue else None
    concept = taxonomy.resolve(mention.text)
    return Claim(mention.text, mention.start, mention.end, concept, negated, cue)


def describe(claims: Sequence[Claim]) -> str:
    """Say the claims in one line: "dogs: dog; no cats: cat"."""
    if not claims:
        return "no animal named"
    return "; ".join(
        f"{'no ' if claim.negated else ''}{claim.mention}: {claim.animal or 'unknown'}"
        for claim in claims
    )
