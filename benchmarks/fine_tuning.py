"""What each ingredient of fine-tuning brings: short runs of train.py with one thing changed.

    python benchmarks/fine_tuning.py --weights resnet50.safetensors
    python benchmarks/fine_tuning.py --weights resnet50.safetensors --only reference all --seeds 3

A fourth of the sources is left out of training, and all runs start from one linear probe. Each is a
model folder below ``--output``; runs that are there are not repeated and one that was stopped goes
on, so that the tables can grow over several calls. Prints two tables in Markdown, of accuracy on
validation photos of the sources that training saw and on photos of the sources left out: for the
weights as fine-tuned and for what train.py makes of them (the head fitted anew, mixed with the
probe), means over the seeds (spread: standard deviation), and the difference of the latter from the
reference; 95 % bootstrap intervals that resample the sources of the photos, the same draws for
both. A folder of runs with other epochs, photos, classes, encoder or weights is refused.
"""

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from benchmarks.measure import print_table, source_folds
from common.cli import ArgumentParser, run
from common.errors import InputError
from common.evaluation.bootstrap import bootstrap
from common.paths import ROOT

if TYPE_CHECKING:
    from classifier.data import Photo

LEFT_OUT = 1  # of the folds of sources
REFERENCE = "reference"
VARIANTS = {
    REFERENCE: "",
    "all": "--unfreeze all",
    "no-augmentation": "--trivial-augment 0 --degrade 0 --erase 0 --mixup-share 0",
    "last-stage": "--unfreeze last-stage",
    "no-balance": "--balance 0 --source-balance 0",
    "more-augmentation": "--trivial-augment 0.5 --degrade 0.08 --erase 0.2 --mixup-share 0.3",
    "no-mix": "--mixup-share 0",
    "no-degrade": "--degrade 0",
    "no-source-balance": "--source-balance 0",
    "no-average": "--ema-decay 0",
    "no-smoothing": "--label-smoothing 0",
    "one-rate": "--layer-decay 1",
    "head": "--unfreeze head",
}


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_data("animals", "labelled photos")
    parser.add_argument("--encoder", default="resnet50.tv2_in1k", help="as for train.py")
    parser.add_argument("--weights", default="imagenet", help="as for train.py")
    parser.add_argument("--classes", type=Path, default=ROOT / "data/classes.txt", metavar="FILE")
    parser.add_argument("--output", type=Path, default=ROOT / "runs/fine_tuning", metavar="DIR")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--epochs", type=int, default=2, help="of each run (default: 2)")
    parser.add_argument("--seeds", type=int, default=1, help="runs of each variant (default: 1)")
    parser.add_argument("--workers", type=int, default=1, help="as for train.py (default: 1)")
    parser.add_argument("--jobs", type=int, default=1, help="runs side by side (default: 1)")
    parser.add_device()
    return parser


def train(folder: Path, options: Sequence[object]) -> None:
    """Train a model folder, or go on where that was stopped.

    Raises:
        InputError: If it fails.
    """
    resume = ["--resume"] if (folder / "train_config.json").exists() else []
    command = [sys.executable, "classifier/train.py", "--output", folder, *options, *resume]
    if subprocess.run([str(part) for part in command], cwd=ROOT, stdout=sys.stderr).returncode:
        raise InputError(f"{folder.name}: training failed")


def check_settings(folder: Path, *settings: object) -> None:
    """Keep what all runs in a folder share, by its hash.

    Raises:
        InputError: If the runs that are there were made with something else.
    """
    digest, path = hashlib.sha256(repr(settings).encode()).hexdigest(), folder / "settings.sha256"
    if path.exists() and path.read_text() != digest:
        raise InputError(f"{folder}: runs of other epochs, photos, classes, encoder or weights")
    path.write_text(digest)


def leave_out(photos: "Sequence[Photo]") -> "tuple[list[Photo], list[Photo]]":
    """Photos to train and validate on, and training photos of the sources left out.

    Of the latter only those of a kind that the others show too.
    """
    training = [photo for photo in photos if photo.split == "train"]
    folds = source_folds([photo.source for photo in training])
    new = {photo.source for photo, fold in zip(training, folds, strict=True) if fold == LEFT_OUT}
    seen = [photo for photo in photos if photo.split != "test" and photo.source not in new]
    known = {photo.label for photo in seen if photo.split == "train"}
    return seen, [photo for photo in training if photo.source in new and photo.label in known]


def right_answers(weights: Path, photos: "Sequence[Photo]", device: str) -> np.ndarray:
    """Return which photos some weights name right, ``(N,)`` bool; one that is unreadable is not.

    The answers are kept beside the weights, for these weights and photos.
    """
    asked = hashlib.sha256(weights.read_bytes() + repr(photos).encode()).hexdigest()[:16]
    kept = weights.with_suffix(f".{asked}.npy")
    if kept.exists():
        return np.load(kept)
    import torch

    from classifier.config import ModelConfig
    from classifier.model import Classifier
    from common.encoders.weights import put_weights, read_weights
    from common.images.batches import run_photos
    from common.training.forward import torch_model
    from common.training.loop import pick_device

    config = ModelConfig.load(weights.parent)
    model = Classifier(config).eval()
    put_weights(model, read_weights(weights), weights)
    place = pick_device(device)
    infer = torch_model(model.to(place, memory_format=torch.channels_last), place, "auto")
    rows = run_photos(infer, config.preprocess, [photo.path for photo in photos])
    right = np.array(
        [
            not isinstance(row, InputError) and config.classes[row.argmax()] == photo.label
            for row, photo in zip(rows, photos, strict=True)
        ]
    )
    np.save(kept, right)
    return right


def cell(rows: np.ndarray, sources: Sequence[str], digits: str = ".3f") -> str:
    """Return the mean with its interval, and the spread over seeds where there are several.

    Args:
        rows: One row a seed, ``(S, N)``.
        sources: Of the photos, ``(N,)``.
        digits: Format of a number.
    """
    photos = rows.mean(axis=0)
    text = format(bootstrap(lambda drawn: photos[drawn].mean(), len(photos), sources), digits)
    return text + (f" ± {rows.mean(axis=1).std(ddof=1):.3f}" if len(rows) > 1 else "")


def main() -> int:
    """Train what is missing and print the tables."""
    args = get_args_parser().parse_args()
    from classifier.data import as_examples, read_classes, read_photos, select
    from classifier.predict import sources_of
    from common.training.splits import write_splits

    args.output = args.output.resolve()
    args.output.mkdir(parents=True, exist_ok=True)
    seen, new = leave_out(read_photos(args.data.resolve()))
    classes = read_classes(args.classes)
    check_settings(args.output, args.epochs, args.encoder, args.weights, classes, seen)
    write_splits(as_examples(seen, args.output), args.output / "manifest.csv")
    validation, new = select(seen, "val", classes), select(new, "train", classes)

    same = ["--data", args.output, "--classes", args.classes.resolve(), "--device", args.device]
    same += ["--encoder", args.encoder, "--weights", args.weights, "--workers", args.workers]
    probe = args.output / "probe"
    if not (probe / "model.safetensors").exists():
        train(probe, [*same, "--unfreeze", "none"])
    same += ["--epochs", args.epochs, "--start", probe / "probe.safetensors"]
    runs = {
        args.output / f"{variant}-{seed}": [*same, "--seed", seed, *VARIANTS[variant].split()]
        for variant in args.only
        for seed in range(args.seeds)
    }
    missing = [run for run in runs if not (run / "model.safetensors").exists()]
    with ThreadPoolExecutor(args.jobs) as pool:
        list(pool.map(lambda run: train(run, runs[run]), missing))

    def right(name: str, *folders: Path) -> np.ndarray:
        """What is right of all photos, one row a folder."""
        answers = [right_answers(f / name, [*validation, *new], args.device) for f in folders]
        return np.stack(answers).astype(float)

    start, results = right("probe.safetensors", probe), {}
    for variant in args.only:
        folders = [args.output / f"{variant}-{seed}" for seed in range(args.seeds)]
        tuned, final = (right(f"{name}.safetensors", *folders) for name in ("best", "model"))
        results[variant] = tuned, final
    for title, part, sources in (
        ("validation photos of the sources seen", slice(len(validation)), sources_of(validation)),
        ("photos of the sources left out", slice(len(validation), None), sources_of(new)),
    ):
        asked = start[:, part]
        if not asked.size:
            continue
        rows = []
        for variant, (tuned, final) in results.items():
            gain = ""
            if REFERENCE in results:
                more = (final - results[REFERENCE][1]).mean(0)[part]
                gain = cell(more[None], sources, "+.3f")
            cells = [cell(answers[:, part], sources) for answers in (tuned, final)]
            rows.append([variant, len(final), *cells, gain])
        print(f"\n{asked.shape[1]} {title}, probe {cell(asked, sources)}\n")
        header = ["", "seeds", "as fine-tuned", "in the end", "more than the reference"]
        print_table(header, rows)
    return 0


if __name__ == "__main__":
    run(main)
