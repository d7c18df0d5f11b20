"""Turn mentions into claims: the concept and the polarity of each."""

import re
from collections.abc import Sequence
from dataclasses import replace

from matching.claim import Claim, Mention
from matching.taxonomy import Taxonomy

AROUND = 40  # characters on either side of a mention that may belong to its name
NEAR = 5  # claims before and after a group that may say which kind it is

NEGATION = re.compile(
    r"\b(no|not|never|none|nothing|neither|nor|without)\b|n['’]t\b", re.IGNORECASE
)

DEFINITE = re.compile(  # "the", "this small", before the end
    r"\b(the|this|that|these|those|what|which|my|your|our|his|her|its|their)"
    r"(\s+(?!(a|an|and|or|other|of|in|on|at|with|to|by|for|from|is|are)\b)[\w-]+){0,2}\s+$",
    re.IGNORECASE,
)

CALLED = re.compile(  # what may stand before a kind without denying it
    r"((is|are|was|were|called|named|known|as)\s+)+(?P<article>an?\s+)?", re.IGNORECASE
)


def claim_of(text: str, mention: Mention, taxonomy: Taxonomy) -> Claim:
    """Resolve a mention of a text to a concept, and decide whether the text denies it."""
    negated = mention.denied and not called(text, mention)
    cue = text[slice(*mention.cue)] if negated and mention.cue else None
    mention = whole(text, mention, taxonomy)
    concept = taxonomy.resolve(mention.text)
    return Claim(mention.text, mention.start, mention.end, concept, negated, cue)


def whole(text: str, mention: Mention, taxonomy: Taxonomy) -> Mention:
    """Return a mention with the word beside it that makes it another: "labrador" of "labrador mix".

    The recogniser was trained on names that these words are no part of.
    """
    shift = max(0, mention.start - AROUND)
    for name in taxonomy.find(text[shift : mention.end + AROUND]):
        start, end = name.start + shift, name.end + shift
        if start <= mention.start and mention.end <= end and taxonomy.is_whole(text[start:end]):
            return replace(mention, text=text[start:end], start=start, end=end)
    return mention


def called(text: str, mention: Mention) -> bool:
    """Tell whether the words that deny a mention only say what is called so: "is called a zebra".

    The recogniser takes the kind for somebody's name there. It is one where it is capitalised and
    bare, as in "the cat is called Tiger".
    """
    match = mention.cue and CALLED.fullmatch(text, mention.cue[0], mention.start)
    return bool(match and (match["article"] or not mention.text.istitle()))


def identified(text: str, claim: Claim, near: Sequence[Claim], taxonomy: Taxonomy) -> Claim:
    """Let a group be the finer kind that the text says it is, instead of a further animal.

    It is one where it is definite ("this animal is a cow", but not "a dog and another animal") or
    stands beside the kind ("a pet dog"). The recogniser takes some of these sentences for denials
    of the group: "the animal is a cow" for a correction such as "the cow is a horse", though no
    negation stands before it, and in "the animal is not a cow" it lets the cue deny both.

    Returns:
        The claim, or what it says instead, judged by those ``near`` it.
    """
    others = [c for c in near if c.animal and c.animal != claim.animal]
    group = claim.animal or ""
    is_open = taxonomy.beyond(group, ()) is not None
    kinds = [c for c in others if is_open or taxonomy.is_below(c.animal, group)]
    affirmed = [kind for kind in kinds if not kind.negated]
    definite = bool(DEFINITE.search(text[max(0, claim.start - 60) : claim.start]))
    if claim.negated and affirmed and not NEGATION.search(text, 0, claim.start):
        claim, definite = replace(claim, negated=False, cue=None), True
    elif definite and any(cue_between(text, claim, kind) for kind in kinds):
        claim = replace(claim, negated=False, cue=None)
    for kind in () if claim.negated else affirmed:
        gap = text[min(claim.end, kind.end) : max(claim.start, kind.start)]
        if definite or not gap.strip():
            return replace(claim, animal=kind.animal)
    return claim


def cue_between(text: str, claim: Claim, later: Claim) -> bool:
    """Tell whether two claims are denied by the same words and these stand between them."""
    return bool(claim.cue) and claim.cue == later.cue and claim.cue in text[claim.end : later.start]


def describe(claims: Sequence[Claim]) -> str:
    """Say the claims in one line: "dogs: dog; no cats: cat"."""
    if not claims:
        return "no animal named"
    return "; ".join(
        f"{'no ' if claim.negated else ''}{claim.mention}: {claim.animal or 'unknown'}"
        for claim in claims
    )
