"""What each ingredient of fine-tuning brings: short runs of train.py with one thing changed.

    python benchmarks/fine_tuning.py --backbone resnet50.safetensors
    python benchmarks/fine_tuning.py --backbone resnet50.safetensors --only reference all --seeds 3

All runs start from one linear probe. Each is a model folder below ``--output``; runs that are there
are not repeated and one that was stopped goes on, so that the table can grow over several calls.
Prints a Markdown table: accuracy on the validation photos for the weights as fine-tuned and for
what train.py makes of them (the head fitted anew, mixed with the probe), means over the seeds
(spread: standard deviation), and the difference of the latter from the reference; 95 % bootstrap
intervals over photos, the same draws for both.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from benchmarks.measure import print_table
from common.cli import ArgumentParser, run
from common.errors import InputError
from common.numeric import bootstrap_interval
from common.paths import ROOT

REFERENCE = "reference"
VARIANTS = {
    REFERENCE: "",
    "all": "--unfreeze all",
    "no-augmentation": "--trivial 0 --degrade 0 --erase 0 --mix 0",
    "last-stage": "--unfreeze last-stage",
    "no-balance": "--balance 0 --source-balance 0",
    "more-augmentation": "--trivial 0.5 --degrade 0.08 --erase 0.2 --mix 0.3",
    "no-mix": "--mix 0",
    "no-degrade": "--degrade 0",
    "no-source-balance": "--source-balance 0",
    "no-average": "--average 0",
    "no-smoothing": "--label-smoothing 0",
    "one-rate": "--layer-decay 1",
    "head": "--unfreeze head",
}


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_data("animals", "labelled photos")
    parser.add_argument("--backbone", default="imagenet", help="as for train.py")
    parser.add_argument("--classes", type=Path, default=ROOT / "data/classes.txt", metavar="FILE")
    parser.add_argument("--output", type=Path, default=ROOT / "runs/fine_tuning", metavar="DIR")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--epochs", type=int, default=2, help="of each run (default: 2)")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each variant (default: 1)")
    return parser


def train(folder: Path, options: Sequence[object]) -> None:
    """Train a model folder, or go on where that was stopped.

    Raises:
        InputError: If it fails.
    """
    resume = ["--resume"] if (folder / "checkpoint.pt").exists() else []
    command = [sys.executable, "classifier/train.py", "--output", folder, *options, *resume]
    if subprocess.run([str(part) for part in command], cwd=ROOT, stdout=sys.stderr).returncode:
        raise InputError(f"{folder.name}: training failed")


def right_answers(weights: Path, data: Path) -> np.ndarray:
    """Which validation photos some weights name right, ``(N,)`` bool; kept beside the weights."""
    kept = weights.with_suffix(".right.npy")
    if kept.exists() and kept.stat().st_mtime >= weights.stat().st_mtime:
        return np.load(kept)
    import torch

    from classifier.config import ModelConfig
    from classifier.data import read_photos
    from classifier.evaluate import photo_logits, restrict, torch_model
    from classifier.model import Classifier, put_weights

    config = ModelConfig.load(weights.parent)
    model = Classifier(config).eval()
    put_weights(model, weights)
    infer = torch_model(model.to(memory_format=torch.channels_last), torch.device("cpu"), "auto")
    logits, targets, _ = photo_logits(
        infer, config, restrict(read_photos(data), "val", config.classes)
    )
    right = logits.argmax(axis=1) == targets
    np.save(kept, right)
    return right


def cell(rows: np.ndarray, digits: str = ".3f") -> str:
    """Mean with its interval over photos, and the spread over seeds where there are several.

    Args:
        rows: One row a seed, ``(S, N)``.
        digits: Format of a number.
    """
    photos = rows.mean(axis=0)
    low, high = bootstrap_interval(lambda drawn: float(photos[drawn].mean()), len(photos))
    text = f"{photos.mean():{digits}} [{low:{digits}}, {high:{digits}}]"
    return text + (f" ± {rows.mean(axis=1).std(ddof=1):.3f}" if len(rows) > 1 else "")


def main() -> int:
    """Train what is missing and print the table."""
    args = get_args_parser().parse_args()
    args.output = args.output.resolve()
    same = ["--data", args.data.resolve(), "--classes", args.classes.resolve()]
    same += ["--backbone", args.backbone]
    probe = args.output / "probe"
    if not (probe / "model.safetensors").exists():
        train(probe, [*same, "--unfreeze", "none"])
    same += ["--epochs", args.epochs, "--start", probe / "probe.safetensors"]
    start = right_answers(probe / "probe.safetensors", args.data)[None]
    print(f"{start.shape[1]} validation photos, probe {cell(start)}\n", flush=True)
    rows, references = [], None
    for variant in args.only:
        folders = [args.output / f"{variant}-{seed}" for seed in range(args.seeds)]
        for seed, folder in enumerate(folders):
            if not (folder / "model.safetensors").exists():
                train(folder, [*same, "--seed", seed, *VARIANTS[variant].split()])
        tuned, final = (
            np.stack([right_answers(folder / name, args.data) for folder in folders]).astype(float)
            for name in ("best.safetensors", "model.safetensors")
        )
        references = final if variant == REFERENCE else references
        gain = "" if references is None else cell((final - references).mean(0)[None], "+.3f")
        rows.append([variant, len(folders), cell(tuned), cell(final), gain])
    print_table(["", "seeds", "as fine-tuned", "in the end", "more than the reference"], rows)
    return 0


if __name__ == "__main__":
    run(main)
