"""What a text claims about animals: which it says are there, and which it denies.

    python matching/claims.py --text "No cats here, only dogs."
    python matching/claims.py --file texts.txt --format jsonl

``--file`` holds one text a line, and every line gets one line of output. The text format reads
"no cats: cat; dogs: dog"; ``--format jsonl`` prints ``{"text", "claims": [{"mention", "start",
"end", "animal", "negated", "cue"}]}`` with character offsets. ``animal`` is the concept of the
taxonomy, null for a name that it does not know; ``cue`` holds the words that deny the animal.

One pass of the recogniser in ``ner/`` finds the mentions, whether each is denied, and the cues; a
group that the text says is a finer kind ("this animal is a cow", "a pet dog") is then that kind.
"""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import ArgumentParser, read_texts, run
from common.parallel import cores, ordered_map
from common.paths import NER_MODEL
from matching.taxonomy import Taxonomy

if TYPE_CHECKING:
    from ner.inference import Recognizer

DENIED = 0.5  # probability from which a mention counts as denied
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


@dataclass(frozen=True)
class Mention:
    """A span of a text that names a kind of animal."""

    text: str
    start: int
    end: int
    score: float = 1.0
    """Probability that an animal is meant, 0 to 1."""
    denied: float = 0.0
    """Probability that the text denies the animal, 0 to 1."""
    cue: tuple[int, int] | None = None
    """Start and end of the words that would deny it, None where there are none."""


@dataclass(frozen=True)
class Claim:
    """A mention with its concept and its polarity."""

    mention: str
    start: int
    end: int
    animal: str | None
    """Concept of the taxonomy, None for a name that it does not know."""
    negated: bool
    cue: str | None = None
    """The words that deny the animal, None for an affirmed one."""

    def to_json(self) -> dict[str, Any]:
        """Return the claim as the JSON outputs show it."""
        return asdict(self)


class Reader:
    """Reads claims: the recogniser finds mentions and polarity, the taxonomy their concepts.

    Args:
        recognizer: Finds the animals that a text mentions.
        taxonomy: Knows what they are.
    """

    def __init__(self, recognizer: "Recognizer", taxonomy: Taxonomy):
        self.recognizer, self.taxonomy = recognizer, taxonomy

    @classmethod
    def load(
        cls, folder: Path = NER_MODEL, device: str = "auto", classes: Iterable[str] = ()
    ) -> "Reader":
        """Open a recogniser's model folder.

        Args:
            folder: The model folder.
            device: ``auto``, ``cpu`` or ``cuda``.
            classes: The classifier's labels; their names count as names of animals.

        Raises:
            InputError: If the folder holds no exported model.
        """
        from ner.inference import Recognizer

        taxonomy = Taxonomy.load().with_classes(classes)
        return cls(Recognizer.load(folder, device, taxonomy), taxonomy)

    def read(self, texts: Sequence[str]) -> list[list[Claim]]:
        """The claims of each text, in order of appearance."""
        result = []
        for text, mentions in zip(texts, self.recognizer.mentions(texts), strict=True):
            claims = [claim_of(text, mention, self.taxonomy) for mention in mentions]
            near = (claims[max(0, i - NEAR) : i + NEAR + 1] for i in range(len(claims)))
            pairs = zip(claims, near, strict=True)
            result.append([identified(text, *pair, self.taxonomy) for pair in pairs])
        return result


def claim_of(text: str, mention: Mention, taxonomy: Taxonomy) -> Claim:
    """Resolve a mention of a text to a concept, and decide whether the text denies it."""
    negated = mention.denied >= DENIED and not called(text, mention)
    return Claim(
        mention.text,
        mention.start,
        mention.end,
        taxonomy.resolve(mention.text),
        negated,
        text[slice(*mention.cue)] if negated and mention.cue else None,
    )


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

    Args:
        text: The text.
        claim: One of its claims.
        near: The claims around it.
        taxonomy: Knows which are about finer kinds.

    Returns:
        The claim, or what it says instead.
    """
    kinds = [
        other
        for other in near
        if other.animal != claim.animal
        and other.animal
        and taxonomy.is_below(other.animal, claim.animal or "")
    ]
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


def get_args_parser() -> ArgumentParser:
    """Build the command line."""
    parser = ArgumentParser(__doc__)
    parser.add_texts()
    parser.add_argument("--format", choices=("text", "jsonl"), default="text")
    parser.add_model("--model", NER_MODEL)
    parser.add_device()
    return parser


def main() -> int:
    """Print the claims of one text or of a file of texts."""
    args = get_args_parser().parse_args()
    texts = read_texts(args)
    reader = Reader.load(args.model, args.device)
    found = ordered_map(lambda text: reader.read([text])[0], texts, cores())
    for text, claims in zip(texts, found, strict=True):
        if args.format == "jsonl":
            row = {"text": text, "claims": [claim.to_json() for claim in claims]}
            print(json.dumps(row, ensure_ascii=False))
        else:
            print(describe(claims))
    return 0


if __name__ == "__main__":
    run(main)
