"""Find named entities in text, on onnxruntime and without torch.

    python ner/inference.py --text "The red fox (Vulpes vulpes) is found in Europe."
    python ner/inference.py --file texts.txt --format jsonl      # one text a line

Text format prints one entity a line, ``red fox  ANIM  0.61``; ``json`` and ``jsonl`` print
``{"text", "entities": [{"text", "label", "start", "end", "score"}]}`` with character offsets into
the original text. Texts of any length are read whole, in overlapping windows. The types are
MultiNERD's, which leaves common animals unmarked here and there; what a text claims about animals
is read by other heads of the same model, see ``matching/claims.py``.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])


from common.cli import ArgumentParser, read_texts, run
from common.parallel import cores, ordered_map
from common.paths import NER_MODEL
from ner.predictor import Recognizer


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_texts()
    parser.add_argument("--format", choices=("text", "json", "jsonl"), default="text")
    parser.add_model("--model", NER_MODEL)
    parser.add_device()
    return parser


def main() -> None:
    """Print the entities of one text or of a file of texts."""
    args = get_args_parser().parse_args()
    texts = read_texts(args)
    recognizer = Recognizer.load(args.model, args.device)
    found = ordered_map(lambda text: recognizer.entities([text])[0], texts, cores())
    if args.format == "text":
        for entity in (entity for row in found for entity in row):
            print(f"{entity.text}  {entity.label}  {entity.score:.2f}")
        return
    rows = (
        {"text": text, "entities": [asdict(e) | {"score": round(e.score, 4)} for e in row]}
        for text, row in zip(texts, found, strict=True)
    )
    if args.format == "jsonl":
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
    else:
        value = next(rows) if args.text is not None else list(rows)
        print(json.dumps(value, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    run(main)
