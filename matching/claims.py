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
import sys
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import ArgumentParser, read_texts, run
from common.parallel import cores, ordered_map
from common.paths import NER_MODEL
from common.text.language import foreign_language
from engine.claims import ClaimExtractor
from matching.resolve import describe


def get_args_parser() -> ArgumentParser:
    """Build the command line."""
    parser = ArgumentParser(__doc__)
    parser.add_texts()
    parser.add_argument("--format", choices=("text", "jsonl"), default="text")
    parser.add_model("--model", NER_MODEL)
    parser.add_device()
    return parser


def main() -> None:
    """Print the claims of one text or of a file of texts."""
    args = get_args_parser().parse_args()
    texts = read_texts(args)
    extractor = ClaimExtractor.load(args.model, args.device)
    found = ordered_map(lambda text: extractor.read([text])[0], texts, cores())
    for number, (text, claims) in enumerate(zip(texts, found, strict=True), 1):
        if language := foreign_language(text):
            print(f"text {number} is in {language}, not in English", file=sys.stderr)
        if args.format == "jsonl":
            row = {"text": text, "claims": [claim.to_json() for claim in claims]}
            print(json.dumps(row, ensure_ascii=False))
        else:
            print(describe(claims))


if __name__ == "__main__":
    run(main)
