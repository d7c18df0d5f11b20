"""A frozen dataclass is a script's configuration: its flags, its checks and its JSON.

Example::

    @dataclass(frozen=True)
    class NerTrainingConfig(TrainingConfig):
        recase: float = option(0.1, "probability of ...")

    add_options(parser, NerTrainingConfig)  # --epochs, --learning-rate, ..., --recase
    config = from_args(NerTrainingConfig, parser.parse_args())
"""

import argparse
import dataclasses
import json
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from common.errors import InputError

Config = TypeVar("Config")


def option(default: Any, help: str) -> Any:
    """A dataclass field with its line for ``--help``; its type decides how the flag is read."""
    return dataclasses.field(default=default, metadata={"help": help})


def add_options(parser: argparse.ArgumentParser, config: type) -> None:
    """Add a flag for each field of ``config``: ``learning_rate`` becomes ``--learning-rate``."""
    for field in dataclasses.fields(config):
        kind, extra = _kind(config, field.name), {}
        if kind is bool:
            extra["action"] = argparse.BooleanOptionalAction
        elif typing.get_origin(kind) is typing.Literal:
            extra["choices"] = typing.get_args(kind)
        elif typing.get_origin(kind) is tuple:  # tuple[X, ...]: the flag may be repeated
            extra.update(action="append", type=typing.get_args(kind)[0])
        else:
            extra.update(type=kind, metavar="PATH" if kind is Path else None)
        shown = "" if field.default in (None, ()) else f" (default: {field.default})"
        parser.add_argument(
            flag(field.name), default=None, help=field.metadata["help"] + shown, **extra
        )


def flag(name: str) -> str:
    """Return the flag of a field."""
    return "--" + name.replace("_", "-")


def _kind(config: type, name: str) -> Any:
    """Return the type of a field, of ``X | None`` the X."""
    kind = typing.get_type_hints(config)[name]
    if isinstance(kind, types.UnionType):
        kind = next(arg for arg in typing.get_args(kind) if arg is not type(None))
    return kind


def given(config: type, args: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of ``config`` whose flags were given."""
    names = {field.name for field in dataclasses.fields(config)}
    found = {k: v for k, v in vars(args).items() if k in names and v is not None}
    return {k: tuple(v) if isinstance(v, list) else v for k, v in found.items()}


def from_args(config: type[Config], args: argparse.Namespace) -> Config:
    """Build ``config`` from the flags that were given; the rest keep their defaults."""
    return config(**given(config, args))


def load_json(config: type[Config], path: Path) -> Config:
    """Read what `save_json` wrote of a configuration.

    Raises:
        InputError: If it cannot be read or is not one of this class.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        for name, value in values.items():
            is_path = _kind(config, name) is Path and value is not None
            values[name] = (
                Path(value) if is_path else tuple(value) if isinstance(value, list) else value
            )
        return config(**values)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except KeyError as error:
        raise InputError(f"{path}: unknown setting {error}; written by another version") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{path}: no {config.__name__} ({error})") from error


def check_values(
    values: Mapping[str, Any], possible: Mapping[str, Callable[[Any], bool]], path: Path
) -> None:
    """Check what a file says by what is possible for each setting; a TypeError counts as no.

    Raises:
        InputError: If a value is impossible; the message names the file and the setting.
    """
    for name, value in values.items():
        try:
            if possible[name](value):
                continue
        except TypeError:
            pass
        raise InputError(f"{path}: {name} cannot be {json.dumps(value)[:80]}")


def save_json(value: Any, path: Path) -> None:
    """Write a dataclass or plain value, NumPy's included, as indented JSON.

    Raises:
        TypeError: If JSON has no form for something in it.
    """
    if dataclasses.is_dataclass(value):
        value = dataclasses.asdict(value)
    text = json.dumps(value, indent=1, default=_plain, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # NumPy
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def check_fingerprint(path: Path, named: str | None) -> None:
    """Raise an ``InputError`` if weights are not those that their folder's configuration names."""
    if fingerprint(path) != named:
        raise InputError(f"{path}: not the weights that config.json names; train or copy it anew")


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file, as a model folder quotes the weights that it belongs to."""
    import hashlib  # loads OpenSSL: inference, which needs none, starts sooner

    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
