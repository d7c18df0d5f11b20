"""Command-line conventions of all scripts: exit codes, one-line errors, shared options."""

import argparse
import codecs
import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from common.errors import InputError, text_error
from common.paths import ROOT, data_root

EXIT_BAD_INPUT = 2  # bad usage or input, named in one line on stderr
EXIT_ROWS_FAILED = 3  # a batch finished, some of its rows could not be answered
EXIT_FALSE = 10  # --exit-code: the verdict is not true

DEVICES = ("auto", "cpu", "cuda")


class ArgumentParser(argparse.ArgumentParser):
    """An ``argparse`` parser whose errors are one line and whose help is a module's docstring."""

    def __init__(self, doc: str | None = None, **options: Any):
        super().__init__(
            description=doc, formatter_class=argparse.RawDescriptionHelpFormatter, **options
        )

    def error(self, message: str) -> NoReturn:
        """Print one line and exit with the code for bad usage."""
        self.exit(EXIT_BAD_INPUT, f"error: {message} (see {self.prog} --help)\n")

    def add_device(self) -> None:
        """Add ``--device``."""
        self.add_argument(
            "--device", choices=DEVICES, default="auto", help="where to compute (default: auto)"
        )

    def add_data(self, default: str, help: str) -> None:
        """Add ``--data``; the default is a path below the training data."""
        self.add_argument(
            "--data",
            type=Path,
            default=data_root() / default,
            metavar="PATH",
            help=f"{help} (default: {default} under FAUNACHECK_DATA)",
        )

    def add_run(self, default: Path) -> None:
        """Add ``--output``, ``--resume``, ``--overwrite`` and ``--device`` of a training run."""
        self.add_argument(
            "--output", type=Path, default=default, metavar="DIR", help="the model folder"
        )
        former = self.add_mutually_exclusive_group()
        former.add_argument("--resume", action="store_true", help="go on with the run in --output")
        former.add_argument("--overwrite", action="store_true", help="replace the run in --output")
        self.add_device()

    def add_evaluation(self) -> None:
        """Add ``--runtime``, ``--output`` and ``--device`` of an evaluation."""
        self.add_argument(
            "--runtime",
            choices=("both", "onnx", "torch"),
            default="both",
            help="model.onnx, the weights, or the former against the latter (default: both)",
        )
        self.add_argument("--output", type=Path, metavar="DIR", help="folder for the report")
        self.add_device()

    def add_texts(self) -> None:
        """Add ``--text`` and ``--file``, of which one must be given (see `read_texts`)."""
        source = self.add_mutually_exclusive_group(required=True)
        source.add_argument("--text", help="the text")
        source.add_argument("--file", type=Path, metavar="FILE", help="a file, one text a line")

    def add_precision(self) -> None:
        """Add ``--precision`` of an exported model."""
        self.add_argument(
            "--precision",
            choices=("auto", "int8", "fp32"),
            default="auto",
            help="auto: int8 where it costs at most half a point (default)",
        )

    def add_model(self, name: str, default: Path) -> None:
        """Add an option that names a model folder."""
        self.add_argument(
            name, type=Path, default=default, metavar="DIR", help=f"model folder ({default.name})"
        )


def read_texts(args: argparse.Namespace) -> list[str]:
    """The texts of ``--text`` or ``--file``.

    Raises:
        InputError: If the text is empty, or the file cannot be read.
    """
    if args.text is not None:
        return [checked_text(args.text)]
    try:
        with open(args.file, encoding="utf-8-sig") as lines:
            return [line.rstrip("\r\n") for line in lines]
    except UnicodeDecodeError as error:
        raise InputError(f"{args.file}: not UTF-8 text ({error.reason})") from error
    except OSError as error:
        raise InputError(f"{args.file}: {error.strerror}; expected one text a line") from error


def checked_text(text: str) -> str:
    """The value of ``--text``, if there is something to read in it.

    Raises:
        InputError: If it is empty or no valid Unicode.
    """
    if error := text_error(text, "--text"):
        raise InputError(error)
    return text


def printable(text: str) -> str:
    """Return a line for the terminal: what would move its cursor or is no character, escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run a script's ``main`` and exit with the code it returns, 0 if none.

    An `InputError` becomes one line on stderr and the code for bad input.
    """
    warnings.filterwarnings("ignore", module="PIL")  # what it refuses, it raises
    for name, mode in {"stdin": "r", "stdout": "w", "stderr": "w"}.items():
        if getattr(sys, name) is None:  # closed by who called
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
    codecs.register_error(
        "json", lambda error: (json.dumps(error.object[error.start])[1:-1], error.start + 1)
    )
    sys.stdout.reconfigure(errors="json")
    try:
        code = main()
        sys.stdout.flush()
    except InputError as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        code = EXIT_BAD_INPUT
    except ModuleNotFoundError as error:  # with the packages for inference alone
        if (ROOT / str(error.name).partition(".")[0]).exists():
            raise  # one of ours: a defect
        print(f"error: needs {error.name}; pip install -r requirements.txt", file=sys.stderr)
        code = EXIT_BAD_INPUT
    except KeyboardInterrupt:
        code = 130  # the shell's code for SIGINT
    except BrokenPipeError:  # the reader went away, as in `… | head`
        sys.stderr.close()
        code = 0
    except OSError as error:  # a full disk, a folder that is read-only
        print(f"error: {printable(str(error))}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what Python still holds
        code = EXIT_BAD_INPUT
    sys.exit(code)
