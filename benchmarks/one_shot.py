"""One pair from the shell: time and memory of a cold process, against plain torch.

    python benchmarks/one_shot.py

Runs the commands in turns and prints medians; the limit is a process that only opens both models
and runs each once.
"""

import sys
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.measure import interleaved, machine, print_table
from common.cli import ArgumentParser, run
from common.paths import CLASSIFIER_MODEL, NER_MODEL, ROOT

PAIR = ("--text", "There is a raccoon.", "--image", ROOT / "data/samples/raccoon.jpg")
LIMIT = f"""
import numpy as np
from common.runtime.session import Session
words = np.ones((1, 8), np.int64)
inputs = dict.fromkeys(("input_ids", "attention_mask", "marks"), words)
Session("{NER_MODEL}/model.onnx")(inputs)
images = np.zeros((1, 3, 224, 224), np.float32)
Session("{CLASSIFIER_MODEL}/model.onnx")({{"images": images}})
"""


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_argument("--repeats", type=int, default=9, help="runs of each command (9)")
    return parser


def main() -> int:
    """Measure and print."""
    args = get_args_parser().parse_args()
    costs = interleaved(
        {
            "Faunacheck": ("pipeline.py", *PAIR),
            "plain torch and transformers": ("benchmarks/plain.py", *PAIR),
            "the same in bf16": ("benchmarks/plain.py", *PAIR, "--mode", "bf16"),
            "the two models alone, onnxruntime": ("-c", LIMIT),
        },
        args.repeats,
    )
    ours = costs["Faunacheck"]
    print(f"{machine()}; medians of {args.repeats} runs in turns\n")
    print_table(
        ("one pair", "seconds", "ratio", "peak MB"),
        [
            (name, f"{c.seconds:.2f}", f"{c.seconds / ours.seconds:.1f}", f"{c.megabytes:.0f}")
            for name, c in costs.items()
        ],
    )
    return 0


if __name__ == "__main__":
    run(main)
