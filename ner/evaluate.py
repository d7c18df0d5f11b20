"""Measure a token classifier: strict entity F1 with seqeval, intervals, and F1 by length.

    python ner/evaluate.py --model models/ner --data ../shared/data/multinerd_en/test.jsonl

prints the report and saves it as ``evaluation.json`` in the model folder (``--output`` names
another file). A predicted entity counts when its type and both borders are right.
"""

import sys
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])


from common.cli import ArgumentParser, run
from common.paths import NER_MODEL


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_model("--model", NER_MODEL)
    parser.add_data("multinerd_en/test.jsonl", "JSON Lines with tokens and tags")
    parser.add_argument("--output", type=Path, metavar="FILE", help="the report as JSON")
    parser.add_device()
    return parser


def main() -> int:
    """Evaluate, print and save."""
    args = get_args_parser().parse_args()
    from common.config import save_json
    from common.training.loop import pick_device
    from ner.data import read_jsonl
    from ner.model import as_function, load
    from ner.report import as_text, predict_tags, report

    sentences = read_jsonl(args.data)
    device = pick_device(args.device)
    model, preprocess = load(args.model)
    predicted = predict_tags(as_function(model.to(device), device), preprocess, sentences)
    figures = report([s.tags for s in sentences], predicted)
    print(as_text(figures))
    save_json(figures, args.output or args.model / "evaluation.json")
    return 0


if __name__ == "__main__":
    run(main)
