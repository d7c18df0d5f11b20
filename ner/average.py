"""Average the weights of several runs into one model, as good as their ensemble and as fast as one.

    python ner/average.py runs/ner-0 runs/ner-1 runs/ner-2 --output models/ner

The runs must start from the same encoder and differ in seed, data or settings ("model soup",
Wortsman et al., ICML 2022). Tokenizer and configuration come from the first run.
"""

import shutil
import sys
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.cli import ArgumentParser, run
from common.errors import InputError


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_argument("runs", type=Path, nargs="+", metavar="DIR", help="model folders")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    return parser


def main() -> int:
    """Average."""
    args = get_args_parser().parse_args()
    from ner.model import load, save

    models = [load(folder)[0] for folder in args.runs]
    states = [model.state_dict() for model in models]
    shapes = [{name: tensor.shape for name, tensor in state.items()} for state in states]
    for folder, shape in zip(args.runs, shapes, strict=True):
        if shape != shapes[0]:
            raise InputError(f"{folder}: a model of another shape than {args.runs[0]}")
    mean = {name: sum(state[name] for state in states) / len(states) for name in states[0]}
    models[0].load_state_dict(mean)
    args.output.mkdir(parents=True, exist_ok=True)
    save(models[0], load(args.runs[0])[1], args.output)
    shutil.copyfile(args.runs[0] / "train_config.json", args.output / "train_config.json")
    return 0


if __name__ == "__main__":
    run(main)
