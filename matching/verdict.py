"""The decision: do the claims of a text hold on what the classifier saw?

Pure functions on plain values. Each claim gets one of three values: it holds, it does not, or that
is undecided (None), which happens to animals outside the classifier's knowledge, to groups that the
animal in the photo may belong to, and to names without a concept. The verdict combines them in
Kleene's three-valued logic, so it is undecided exactly when it hangs on an undecided claim; names
without a concept count only where nothing else is claimed or every claim must hold.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from matching.claim import Claim
from matching.taxonomy import OTHER_ANIMAL, Judgement, Taxonomy

MATCHES = ("any", "all")
SURE = 0.8  # what is seen with less rules nothing else out: many an unknown animal looks like a 0.4


class Reason(Enum):
    """Why the verdict is what it is."""

    NAMED_ANIMAL_FOUND = "NAMED_ANIMAL_FOUND"  # true: what had to be there is
    DENIALS_HOLD = "DENIALS_HOLD"  # true: the text only denies, and rightly
    NAMED_ANIMAL_ABSENT = "NAMED_ANIMAL_ABSENT"  # false: the photo shows another animal
    UNKNOWN_IMAGE = "UNKNOWN_IMAGE"  # false: the photo shows none of the classes
    DENIED_ANIMAL_FOUND = "DENIED_ANIMAL_FOUND"  # false: the text denies what the photo shows
    OUTSIDE_KNOWLEDGE = "OUTSIDE_KNOWLEDGE"  # undecided: no class answers for a named animal
    NO_ANIMAL_NAMED = "NO_ANIMAL_NAMED"  # undecided: nothing to check
    NOT_ENGLISH = "NOT_ENGLISH"  # undecided: the text cannot be read


@dataclass(frozen=True)
class ImageEvidence:
    """What the classifier says about a photo."""

    probabilities: Mapping[str, float]
    """Probability of each class by label; what is missing to 1 is that of no animal at all."""
    known: bool
    """False when the photo shows none of the classes; those but `OTHER_ANIMAL` then count as 0."""

    def top(self) -> tuple[str, float]:
        """Return the most probable class and its probability."""
        return max(self.probabilities.items(), key=lambda item: item[1])

    def of(self, classes: Iterable[str]) -> float:
        """Return the probability that the photo shows one of some classes.

        Added exactly, so that their order does not matter; rounding may exceed 1.
        """
        counted = [c for c in classes if self.known or c == OTHER_ANIMAL]
        return min(1.0, math.fsum(self.probabilities[c] for c in counted))

    @property
    def other(self) -> float:
        """Probability of an animal that is no class of its own."""
        return self.probabilities.get(OTHER_ANIMAL, 0.0)

    @property
    def nothing(self) -> float:
        """Probability that the photo shows no animal."""
        return 1 - min(1.0, math.fsum(self.probabilities.values()))


@dataclass(frozen=True)
class JudgedClaim:
    """A claim and what became of it."""

    claim: Claim
    probability: float | None
    """Probability that the animal is in the photo, None outside the classifier's knowledge."""
    holds: bool | None
    exact: bool
    """False when a coarser concept was judged in the animal's place."""
    explanation: str

    def to_json(self) -> dict[str, Any]:
        """Return the claim as the JSON outputs show it."""
        probability = None if self.probability is None else round(self.probability, 4)
        return self.claim.to_json() | {"probability": probability, "holds": self.holds}


@dataclass(frozen=True)
class Verdict:
    """The answer to a pair of text and photo."""

    value: bool | None
    """None when the text cannot be decided on this photo."""
    reason: Reason
    explanation: str
    claims: list[JudgedClaim]


def unreadable(language: str) -> Verdict:
    """Return the verdict on a text in another language: undecided, whatever the photo shows."""
    return Verdict(None, Reason.NOT_ENGLISH, f"the text is in {language}, not in English", [])


def decide(
    claims: Sequence[Claim],
    sighting: ImageEvidence,
    taxonomy: Taxonomy,
    threshold: float,
    match: str = "any",
    unknown_threshold: float = 0.5,
    sure: float = SURE,
) -> Verdict:
    """Decide whether a text is true of a photo.

    Args:
        claims: What the text claims.
        sighting: What the classifier says about the photo.
        taxonomy: The one that read the claims.
        threshold: Probability from which an animal counts as present, 0 to 1.
        match: "any": at least one affirmed animal is there and no denied one is; "all": every claim
            holds. A text that only denies is true when every denial holds, either way.
        unknown_threshold: In place of ``threshold``, if higher, for a photo that is not known.
        sure: Probability from which what the photo shows rules out animals that are no class.

    Returns:
        The verdict with its reason, and each claim with its probability.

    Raises:
        ValueError: If ``match`` is neither "any" nor "all".
    """
    if match not in MATCHES:
        raise ValueError(f"match must be one of {', '.join(MATCHES)}, not {match!r}")
    if not claims:
        return Verdict(None, Reason.NO_ANIMAL_NAMED, "the text names no animal", [])
    if not sighting.known:  # the threshold is one for known animals
        threshold = max(threshold, unknown_threshold)
    named = list(dict.fromkeys(c.animal for c in claims if c.animal and not c.negated))
    judged = [judge(claim, named, sighting, taxonomy, threshold, sure) for claim in claims]
    counted = judged if match == "all" else [j for j in judged if j.claim.animal] or judged
    affirmed = [j.holds for j in counted if not j.claim.negated]
    denials = [j.holds for j in counted if j.claim.negated]
    found = _all(affirmed) if match == "all" or not affirmed else _any(affirmed)
    value = _all([found, *denials])
    reason = _reason(value, bool(affirmed), denials, sighting)
    explanation = "; ".join(j.explanation for j in judged)
    if not sighting.known:
        explanation = f"the photo shows none of the known animals: {explanation}"
    return Verdict(value, reason, explanation, judged)


def judge(
    claim: Claim,
    affirmed: Sequence[str],
    sighting: ImageEvidence,
    taxonomy: Taxonomy,
    threshold: float,
    sure: float = SURE,
) -> JudgedClaim:
    """Decide whether one claim holds, see `decide`.

    The concepts that its text affirms are no counter-examples to a denied group: "no animals except
    a cow" denies all animals but cows.
    """
    if claim.animal is None:
        return JudgedClaim(claim, None, None, False, f"{claim.mention} is no name that is known")
    labels = sighting.probabilities.keys()
    judgement = taxonomy.answering_classes(claim.animal, labels)
    beyond = taxonomy.beyond(claim.animal, labels)
    if not judgement.classes and beyond is None:
        return _judge_outside(claim, sighting, taxonomy, max(threshold, sure))
    if taxonomy.crossed(claim.mention) == claim.animal:
        judgement = judgement._replace(exact=False)
    if beyond is not None and not judgement.exact:
        judgement = Judgement(frozenset(), True, (claim.animal,))
    classes = judgement.classes
    spared = []
    if claim.negated:  # what is affirmed beside "no wild animals" is one, or is not denied
        spared = [a for a in affirmed if a != claim.animal]
        spared = [a for a in spared if beyond or taxonomy.is_below(a, claim.animal)]
    answers = (taxonomy.answering_classes(a, labels).classes for a in spared)
    spare = frozenset().union(*answers)
    probability = sighting.of(classes - spare)
    present = probability >= threshold
    explanation = _explain(claim, judgement, spared, probability, present)
    holds: bool | None = present != claim.negated
    if beyond is not None and not present:
        possible = max(sighting.of(beyond - spare), sighting.other)
        if possible >= threshold:
            explanation = f"{claim.animal} cannot be told from other animals"
            return JudgedClaim(claim, None, None, False, explanation)
    group = OTHER_ANIMAL not in classes and claim.animal not in map(taxonomy.concept_of, labels)
    if group and judgement.exact and not present and sighting.other >= threshold:
        explanation += ", but the photo may show one outside the classifier's knowledge"
        holds = None
    return JudgedClaim(claim, probability, holds, judgement.exact, explanation)


def _judge_outside(
    claim: Claim, sighting: ImageEvidence, taxonomy: Taxonomy, sure: float
) -> JudgedClaim:
    """Judge an animal that no class answers for: absent if the photo surely shows another.

    A close relative is none: who has not learnt alligators calls them crocodiles.
    """
    explanation = f"{claim.animal} is outside the classifier's knowledge"
    seen = {c: p for c, p in sighting.probabilities.items() if c != OTHER_ANIMAL}
    kind = taxonomy.surest_kind(seen, sure) if sighting.known and seen else None
    if sighting.nothing >= sure:
        shown = f"no animal ({sighting.nothing:.2f})"
    elif kind is None:
        return JudgedClaim(claim, None, None, False, explanation)
    else:
        of_kind = taxonomy.classes_at_or_below(kind, sighting.probabilities.keys())
        shown = f"{kind} {sighting.of(of_kind):.2f}"
        if taxonomy.are_related(claim.animal, kind):
            explanation += f", the photo shows a close relative: {shown}"
            return JudgedClaim(claim, None, None, False, explanation)
    explanation += f", the photo shows {shown}"
    return JudgedClaim(claim, None, claim.negated, False, explanation)


def _explain(
    claim: Claim, judgement: Judgement, spared: list[str], probability: float, present: bool
) -> str:
    """Say what became of a claim: "cow 0.98", "dog absent (0.00)"."""
    name = str(claim.animal)
    if judgement.by == (name,) and not judgement.exact:
        name = claim.mention  # a cross
    if spared:
        name += f" apart from {' and '.join(spared)}"
    if not judgement.exact:
        name += f" judged as {' or '.join(judgement.by)}"
    text = f"{name} {probability:.2f}" if present else f"{name} absent ({probability:.2f})"
    if present and claim.negated:
        text += " although denied"
    # what is absent as a dog is absent as a labrador too
    return f"{text}: the finer kind cannot be checked" if present and not judgement.exact else text


def _reason(
    value: bool | None, affirms: bool, denials: list[bool | None], sighting: ImageEvidence
) -> Reason:
    """Name the reason for a verdict on at least one claim."""
    if value is None:
        return Reason.OUTSIDE_KNOWLEDGE
    if value:
        return Reason.NAMED_ANIMAL_FOUND if affirms else Reason.DENIALS_HOLD
    if False in denials:
        return Reason.DENIED_ANIMAL_FOUND
    return Reason.NAMED_ANIMAL_ABSENT if sighting.known else Reason.UNKNOWN_IMAGE


def _all(values: Sequence[bool | None]) -> bool | None:
    """Conjunction in Kleene's logic: false beats undecided, undecided beats true."""
    if False in values:
        return False
    return None if None in values else True


def _any(values: Sequence[bool | None]) -> bool | None:
    """Disjunction in Kleene's logic: true beats undecided, undecided beats false."""
    if True in values:
        return True
    return None if None in values else False
