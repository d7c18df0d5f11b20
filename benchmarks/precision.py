"""What lower precision costs and saves: the image classifier in fp32, bf16 and int8.

    python benchmarks/precision.py

Exports the weights of a model folder anew as fp32 and int8 for onnxruntime, runs bf16 in torch, and
prints a Markdown table: accuracy and macro accuracy with 95 % bootstrap intervals (sources of
photos resampled), calibration error after each one's own temperature, milliseconds per photo,
megabytes.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

if not __package__:  # run as a file: import from the repository, not from this folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from common.cli import ArgumentParser, run
from common.errors import InputError
from common.paths import CLASSIFIER_MODEL

REPEATS = 30  # of the timing; the median counts


def get_args_parser() -> ArgumentParser:
    """The command line."""
    parser = ArgumentParser(__doc__)
    parser.add_model("--model", CLASSIFIER_MODEL)
    parser.add_data("animals", "labelled photos")
    parser.add_argument("--split", choices=("val", "test"), default="test")
    parser.add_argument("--classes", type=Path, metavar="FILE", help="answer with these classes")
    return parser


def milliseconds(model: Callable[[np.ndarray], np.ndarray], size: int, batch: int) -> float:
    """Median time for one photo in batches."""
    images = np.random.default_rng(0).normal(size=(batch, 3, size, size)).astype(np.float32)
    times = []
    for _ in range(max(5, REPEATS // batch)):
        started = time.perf_counter()
        model(images)
        times.append(time.perf_counter() - started)
    return float(np.median(times)) * 1000 / batch


def main() -> int:
    """Measure and print."""
    args = get_args_parser().parse_args()
    from dataclasses import replace

    import torch

    from benchmarks.measure import with_classes
    from classifier.data import read_classes, read_photos, select
    from classifier.model import load
    from classifier.predict import photo_logits, sources_of
    from classifier.quantize import export_both
    from classifier.report import report
    from common.evaluation.calibration import fit_temperature
    from common.evaluation.tables import cell
    from common.runtime.session import Session
    from common.training.forward import torch_model

    model, config = load(args.model)
    photos = read_photos(args.data, args.model)
    training = select(photos, "train", config.classes)
    if not training:
        raise InputError(f"{args.data}: no training photos of the model's classes")
    model = model.to(memory_format=torch.channels_last)
    with tempfile.TemporaryDirectory() as folder:
        runs: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float]] = {}
        for path in export_both(model, config, training, Path(folder)):
            session = Session(path)
            runs[f"{path.stem}, onnxruntime"] = (
                lambda images, session=session: session({"images": images})["logits"],
                path.stat().st_size / 1e6,
            )
        weights = sum(p.numel() for p in model.parameters()) * 2 / 1e6
        runs["bf16, torch"] = torch_model(model, torch.device("cpu"), "bf16"), weights
        print("| | accuracy | macro accuracy | calibration error | ms, one | ms, of 32 | MB |")
        print("|---|---|---|---|---|---|---|")
        for name, (function, megabytes) in runs.items():
            times = [milliseconds(function, config.crop, batch) for batch in (1, 32)]
            answers, shown = function, config
            if args.classes:
                answers, shown = with_classes(function, config, read_classes(args.classes))
            validation = photo_logits(answers, shown, select(photos, "val", shown.animals))
            shown = replace(shown, temperature=fit_temperature(*validation[:2]))
            logits, targets, read = photo_logits(
                answers, shown, select(photos, args.split, shown.animals)
            )
            figures = report(logits, targets, shown, sources_of(read))
            keys = ("accuracy", "macro_accuracy", "calibration_error")
            cells = [cell(figures[key]) for key in keys]
            cells += [f"{value:.1f}" for value in times]
            print(f"| {name} | {' | '.join(cells)} | {megabytes:.0f} |", flush=True)
    return 0


if __name__ == "__main__":
    run(main)
