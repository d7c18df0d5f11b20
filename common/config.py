"""A frozen dataclass is a script's configuration: its flags, its checks and its JSON.

Example::

    @dataclass(frozen=True)
    class NerConfig(TrainConfig):
        recase: float = option(0.1, "probability of ...")

    add_options(parser, NerConfig)  # --epochs, --learning-rate, ..., --recase
    config = from_args(NerConfig, parser.parse_args())
"""

import argparse
import dataclasses
import json
import types
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from common.errors import InputError

Config = TypeVar("Config")


def option(default: Any, help: str) -> Any:
    """A dataclass field with its help text.

    Args:
        default: The value without a flag; its type decides how the flag is read.
        help: One line for ``--help``.
    """
    return dataclasses.field(default=default, metadata={"help": help})


def add_options(parser: argparse.ArgumentParser, config: type) -> None:
    """Add a flag for each field of ``config``: ``learning_rate`` becomes ``--learning-rate``."""
    kinds = typing.get_type_hints(config)
    for field in dataclasses.fields(config):
        kind, extra = kinds[field.name], {}
        if isinstance(kind, types.UnionType):  # X | None
            kind = next(arg for arg in typing.get_args(kind) if arg is not type(None))
        if kind is bool:
            extra["action"] = argparse.BooleanOptionalAction
        elif typing.get_origin(kind) is typing.Literal:
            extra["choices"] = typing.get_args(kind)
        elif typing.get_origin(kind) is tuple:  # tuple[X, ...]: the flag may be repeated
            extra.update(action="append", type=typing.get_args(kind)[0])
        else:
            extra["type"] = kind
        shown = "" if field.default in (None, ()) else f" (default: {field.default})"
        parser.add_argument(
            "--" + field.name.replace("_", "-"),
            default=None,
            help=field.metadata["help"] + shown,
            **extra,
        )


def from_args(config: type[Config], args: argparse.Namespace) -> Config:
    """Build ``config`` from the flags that were given; the rest keep their defaults."""
    names = {field.name for field in dataclasses.fields(config)}
    given = {k: v for k, v in vars(args).items() if k in names and v is not None}
    return config(**{k: tuple(v) if isinstance(v, list) else v for k, v in given.items()})


def save_json(value: Any, path: Path) -> None:
    """Write a dataclass or plain value as indented JSON."""
    if dataclasses.is_dataclass(value):
        value = dataclasses.asdict(value)
    path.write_text(json.dumps(value, indent=1, default=str, ensure_ascii=False) + "\n")


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file, as a model folder quotes the weights that it belongs to."""
    import hashlib  # loads OpenSSL: inference, which needs none, starts sooner

    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


@dataclass(frozen=True)
class TrainConfig:
    """Hyper-parameters that all training scripts share."""

    epochs: int = option(10, "passes over the training data")
    batch_size: int = option(32, "examples a step")
    learning_rate: float = option(1e-4, "peak learning rate of the pretrained layers")
    head_learning_rate: float = option(1e-3, "peak learning rate of the new head")
    weight_decay: float = option(0.01, "decoupled weight decay (AdamW)")
    warmup: float = option(0.1, "share of all steps in which the learning rate rises")
    average: float = option(0.995, "decay of the moving average of the weights; 0: no average")
    label_smoothing: float = option(0.1, "share of the target spread over all classes")
    patience: int = option(4, "epochs without a better score before the run stops")
    precision: Literal["auto", "bf16", "fp32"] = option("auto", "auto: bf16 where it is native")
    workers: int = option(1, "processes that prepare batches")
    seed: int = option(0, "seed of weights, order and augmentation")

    def __post_init__(self):
        for name in ("epochs", "batch_size", "learning_rate", "head_learning_rate", "patience"):
            if getattr(self, name) <= 0:
                raise InputError(f"{name} must be above 0, not {getattr(self, name)}")
        for name in ("warmup", "average", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} must be in [0, 1), not {getattr(self, name)}")
