"""What a text claims about animals: which it says are there, and which it denies.

    python matching/claims.py --text "No cats here, only dogs."
    python matching/claims.py --file texts.txt --format jsonl

``--file`` holds one text a line, and every line gets one line of output. The text format reads
"dogs: dog; no cats: cat"; ``--format jsonl`` prints ``{"text", "claims": [{"mention", "start",
"end", "animal", "negated"}]}`` with character offsets; ``animal`` is null for a mention that the
taxonomy does not know. The mentions come from the recogniser in ``ner/``, the concepts from
``taxonomy.json``, and ``polarity.py`` says which are denied.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import ArgumentParser, read_texts, run
from common.paths import NER_MODEL
from matching.polarity import denied
from matching.taxonomy import Taxonomy

ANIMAL_LABEL = "ANIM"  # MultiNERD's entity type for animals


@dataclass(frozen=True)
class Mention:
    """A span of a text that names a kind of animal."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Claim:
    """A mention with its concept and its polarity."""

    mention: str
    start: int
    end: int
    animal: str | None
    """Concept of the taxonomy, None for a name that it does not know."""
    negated: bool

    def to_json(self) -> dict[str, Any]:
        """Return the claim as the JSON outputs show it."""
        return {
            "mention": self.mention,
            "start": self.start,
            "end": self.end,
            "animal": self.animal,
            "negated": self.negated,
        }


def read_claims(text: str, mentions: Sequence[Mention], taxonomy: Taxonomy) -> list[Claim]:
    """Resolve the mentions of a text and decide which of them it denies.

    Args:
        text: The text.
        mentions: Its mentions, in any order, without overlap.
        taxonomy: Knows the names; extended by the classifier's own classes where there are any.

    Returns:
        One claim for each mention, in the order of the text.
    """
    ordered = sorted(mentions, key=lambda mention: mention.start)
    polarity = denied(text, [(mention.start, mention.end) for mention in ordered])
    return [
        Claim(m.text, m.start, m.end, taxonomy.resolve(m.text), negated)
        for m, negated in zip(ordered, polarity, strict=True)
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
    from ner.inference import Recognizer

    recognizer = Recognizer.load(args.model, args.device)
    taxonomy = Taxonomy.load()
    for text, entities in zip(texts, recognizer.entities(texts), strict=True):
        mentions = [Mention(e.text, e.start, e.end) for e in entities if e.label == ANIMAL_LABEL]
        claims = read_claims(text, mentions, taxonomy)
        if args.format == "jsonl":
            row = {"text": text, "claims": [claim.to_json() for claim in claims]}
            print(json.dumps(row, ensure_ascii=False))
        else:
            print(describe(claims))
    return 0


if __name__ == "__main__":
    run(main)
