"""Write a token classifier as ONNX for inference without torch.

    python ner/export.py --model runs/ner
    python ner/export.py --model runs/ner --precision fp32

``model.onnx`` goes into the model folder. With ``--precision auto`` it holds int8 weights if they
cost at most half a point of micro F1 on the validation split, else fp32; the comparison is saved
as ``export.json``.
"""

import sys
import tempfile
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import ArgumentParser, run
from common.paths import NER_MODEL


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_model("--model", NER_MODEL)
    parser.add_data("multinerd_en/validation.jsonl", "sentences to compare on")
    parser.add_precision()
    return parser


def main() -> None:
    """Export, compare, keep one."""
    args = get_args_parser().parse_args()
    import torch

    from common.runtime.export import choose_precision, export
    from common.runtime.quantize import quantize_dynamic
    from common.runtime.session import Session
    from ner.data import read_jsonl
    from ner.model import load
    from ner.report import count_matches, f1, predict_tags

    sentences = read_jsonl(args.data)
    model, preprocess = load(args.model)
    # A tensor of its own for each input: the exporter takes one object for one input.
    example = {name: torch.ones(2, 16, dtype=torch.long) for name in model.encoder.inputs}

    def score(session: Session) -> float:
        tags = predict_tags(lambda batch: session(batch)["logits"], preprocess, sentences)
        return f1(count_matches([s.tags for s in sentences], tags))

    with tempfile.TemporaryDirectory() as folder:
        fp32, int8 = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        export(model, example, ("batch", "length"), fp32)
        quantize_dynamic(fp32, int8)
        weights = preprocess.config.weights
        choose_precision(fp32, int8, score, args.precision, args.model, weights)


if __name__ == "__main__":
    run(main)
