"""What a text claims about animals: which it says are there, and which it denies.

    python matching/claims.py --text "No cats here, only dogs."
    python matching/claims.py --file texts.txt --format jsonl

``--file`` holds one text a line, and every line gets one line of output. The text format reads
"no cats: cat; dogs: dog"; ``--format jsonl`` prints ``{"text", "claims": [{"mention", "start",
"end", "animal", "negated", "cue"}]}`` with character offsets. ``animal`` is the concept of the
taxonomy, null for a name that it does not know; ``cue`` holds the words that deny the animal.

One pass of the recogniser in ``ner/`` finds the mentions, whether each is denied, and the cues; a
group that the text says is a finer kind ("the animal is a cow") is then that kind.
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
NEGATION = re.compile(
    r"\b(no|not|never|none|nothing|neither|nor|without)\b|n['’]t\b", re.IGNORECASE
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


def finer(claim: Claim, claims: Sequence[Claim], taxonomy: Taxonomy) -> list[str]:
    """Return the affirmed concepts strictly below one that is claimed or denied, each once."""
    below = [
        other.animal
        for other in claims
        if other.animal
        and not other.negated
        and other.animal != claim.animal
        and taxonomy.is_below(other.animal, claim.animal or "")
    ]
    return list(dict.fromkeys(below))


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
        return [
            identified(
                text,
                [claim_of(text, mention, self.taxonomy) for mention in mentions],
                self.taxonomy,
            )
            for text, mentions in zip(texts, self.recognizer.mentions(texts), strict=True)
        ]


def claim_of(text: str, mention: Mention, taxonomy: Taxonomy) -> Claim:
    """Resolve a mention of a text to a concept, and decide whether the text denies it."""
    negated = mention.denied >= DENIED
    return Claim(
        mention.text,
        mention.start,
        mention.end,
        taxonomy.resolve(mention.text),
        negated,
        text[slice(*mention.cue)] if negated and mention.cue else None,
    )


def identified(text: str, claims: Sequence[Claim], taxonomy: Taxonomy) -> list[Claim]:
    """Let a group be the finer kind that the text says it is: "the animal is a cow".

    The recogniser takes that for a correction, as in "the cow is a horse", and denies the animal.
    With a negation before it, it is denied indeed: "no animals but a cow".
    """
    return [
        replace(claim, animal=kinds[0], negated=False, cue=None)
        if claim.negated
        and (kinds := finer(claim, claims, taxonomy))
        and not NEGATION.search(text, 0, claim.start)
        else claim
        for claim in claims
    ]


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
