"""The folder of a training run: what it was started with, its splits, and what it leaves behind."""

import hashlib
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from common.config import flag, from_args, given, load_json, save_json
from common.errors import InputError
from common.training.config import TrainingConfig
from common.training.splits import Example, read_splits, write_splits

Config = TypeVar("Config", bound=TrainingConfig)

CONFIG, SPLITS, CHECKPOINT = "train_config.json", "splits.csv", "checkpoint.pt"
WEIGHTS, EXPORTED = "model.safetensors", "model.onnx"
# What training, export and evaluation leave; the model card is its author's.
FILES = (
    *(CONFIG, SPLITS, CHECKPOINT, "log.csv", "curve.png", "probe.safetensors", "best.safetensors"),
    *("interpolation.json", WEIGHTS, "config.json", "tokenizer.json", EXPORTED, "export.json"),
    *("evaluation.json", "confusion.png", "reliability.png"),
)


class RunFolder:
    """The folder of a run that is new or, if ``resumed``, goes on."""

    def __init__(self, path: Path, resumed: bool = False):
        self.path, self.resumed = Path(path), resumed

    @classmethod
    def open(cls, args: Namespace, config: type[Config]) -> "tuple[RunFolder, Config]":
        """Return the run of ``--output`` and its configuration; the folder is left as it is.

        Raises:
            InputError: If the folder holds a run and neither ``--resume`` nor ``--overwrite`` is
                given, or there is none to resume, or a flag contradicts its configuration.
        """
        folder = args.output
        if not args.resume:
            if folder.exists() and not folder.is_dir():
                raise InputError(f"--output {folder}: not a folder")
            former = [n for n in (WEIGHTS, EXPORTED, *FILES) if (folder / n).exists()]
            if former and not args.overwrite:
                raise InputError(
                    f"--output {folder} holds a run ({former[0]}); add --resume to go on with it,"
                    " or --overwrite to replace it"
                )
            return cls(folder), from_args(config, args)
        path = folder / CONFIG
        if not path.exists():
            raise InputError(f"--resume: no run in {folder}; start it without --resume")
        saved = load_json(config, path)
        for name, value in given(config, args).items():
            if value != getattr(saved, name):
                raise InputError(
                    f"--resume: {flag(name)} is {getattr(saved, name)} in {path}, not {value};"
                    " leave the flag out, or start anew with --overwrite"
                )
        return cls(folder, resumed=True), saved

    def start(self, config: TrainingConfig, examples: Sequence[Example] = ()) -> None:
        """Write configuration and splits of a new run; what a former one left is removed first."""
        if self.resumed:
            return
        self.path.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            (self.path / name).unlink(missing_ok=True)
        if examples:
            write_splits(examples, self.path / SPLITS)
        save_json(config, self.path / CONFIG)  # last: with it, a run can be resumed

    def splits(self) -> dict[str, str]:
        """Return the split of each example by its key; empty if none were saved."""
        path = self.path / SPLITS
        return read_splits(path) if path.exists() else {}

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of configuration and splits, as checkpoints carry it."""
        parts = [self.path / name for name in (CONFIG, SPLITS)]
        return hashlib.sha256(b"".join(p.read_bytes() for p in parts if p.exists())).hexdigest()

    @property
    def finished(self) -> bool:
        """Whether a run that goes on has nothing left to do."""
        return self.resumed and (self.path / WEIGHTS).exists()

    def finish(self, save: Callable[[Path], None]) -> None:
        """Keep the model that ``save`` writes into a folder: its files move here, weights last."""
        with TemporaryDirectory(dir=self.path) as folder:
            save(Path(folder))
            for file in sorted(Path(folder).iterdir(), key=lambda file: file.name == WEIGHTS):
                file.replace(self.path / file.name)

    def print_next(self, command: str) -> None:
        """Print where the finished run is, and the command (without its model) that comes next."""
        print(f"model folder: {self.path}", file=sys.stderr)
        print(f"next: python {command} --model {self.path}", file=sys.stderr)
