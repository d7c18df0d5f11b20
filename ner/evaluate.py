"""Measure a text model: everything that its card quotes.

    python ner/evaluate.py                                        # the model that answers
    python ner/evaluate.py --model runs/ner --runtime torch --split val
    python ner/evaluate.py --data multinerd_en/test.jsonl --output runs/report

prints strict entity F1 (seqeval: type and both borders are right) for each type and by sentence
length, and F1 of claims on hand-written texts, with 95 % bootstrap intervals over sentences.
Beside them: every name that the taxonomy lists, taken for an animal that is affirmed.
``--runtime both`` measures ``model.onnx`` and what it gains or loses against the fp32 weights. All
of it is saved as ``evaluation.json`` in the model folder (``--output`` names another folder).
"""

import sys
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import ArgumentParser, run
from common.paths import NER_MODEL, ROOT

FILES = {"train": "train.jsonl", "val": "validation.jsonl", "test": "test.jsonl"}


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_model("--model", NER_MODEL)
    parser.add_data("multinerd_en", "a folder as MultiNERD's, or JSON Lines with tokens and tags")
    parser.add_argument("--split", choices=tuple(FILES), default="test")
    parser.add_argument(
        "--claims",
        type=Path,
        default=ROOT / "tests/data/claims.jsonl",
        metavar="FILE",
        help="texts with their claims (default: tests/data/claims.jsonl)",
    )
    parser.add_argument(
        "--registers",
        type=Path,
        default=ROOT / "tests/data/registers.jsonl",
        metavar="FILE",
        help="the same in other registers (default: tests/data/registers.jsonl)",
    )
    parser.add_evaluation()
    return parser


def main() -> None:
    """Evaluate, print and save."""
    args = get_args_parser().parse_args()
    from common.config import save_json
    from common.evaluation.tables import as_text
    from engine.claims import ClaimExtractor
    from ner.data import read_jsonl
    from ner.predictor import Recognizer
    from ner.report import predict_tags, read_claims, report, report_gazetteer, report_halves

    sentences = read_jsonl(args.data / FILES[args.split] if args.data.is_dir() else args.data)
    written = {"claims": read_claims(args.claims), "registers": read_claims(args.registers)}
    recognizers = {}
    if args.runtime != "torch":
        recognizers["onnx"] = Recognizer.load(args.model, args.device)
    if args.runtime != "onnx":
        from common.training.loop import pick_device
        from ner.model import as_function, load

        device = pick_device(args.device)
        model, preprocess = load(args.model)
        recognizers["torch"] = Recognizer(as_function(model.to(device), device), preprocess)
    recognizer, *exact = recognizers.values()
    preprocess = recognizer.preprocess

    gold = [sentence.tags for sentence in sentences]
    predicted = predict_tags(recognizer.model, preprocess, sentences)
    figures = {"split": args.split, "runtime": next(iter(recognizers)), **report(gold, predicted)}
    figures["gazetteer"] = report_gazetteer(preprocess, sentences)
    extractor = ClaimExtractor(recognizer, preprocess.taxonomy)
    listed = preprocess.taxonomy.find
    for name, examples in written.items():
        figures[name] = report_halves(examples, extractor.read)
        figures[f"{name}_of_gazetteer"] = report_halves(examples, lambda texts: map(listed, texts))
    for weights in exact:
        scores = report(gold, predict_tags(weights.model, preprocess, sentences))
        figures["weights"] = {"micro": scores["micro"], "ANIM": scores["types"].get("ANIM", {})}
    print(as_text(figures))
    folder = args.output or args.model
    folder.mkdir(parents=True, exist_ok=True)
    save_json(figures, folder / "evaluation.json")


if __name__ == "__main__":
    run(main)
