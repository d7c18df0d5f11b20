"""Dataclasses as flags."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from common.config import add_options, from_args, option, save_json


@dataclass(frozen=True)
class Settings:
    count: int = option(3, "how many")
    rate: float = option(0.5, "how fast")
    colour: Literal["red", "blue"] = option("red", "which")
    source: Path | None = option(None, "from where")
    extra: tuple[str, ...] = option((), "what else")
    loud: bool = option(False, "whether")


def parse(*arguments):
    parser = argparse.ArgumentParser()
    add_options(parser, Settings)
    return from_args(Settings, parser.parse_args(arguments))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), Settings()),
        (("--count", "7", "--rate", "2"), Settings(count=7, rate=2.0)),
        (("--colour", "blue", "--source", "x"), Settings(colour="blue", source=Path("x"))),
        (("--extra", "a", "--extra", "b"), Settings(extra=("a", "b"))),
        (("--loud",), Settings(loud=True)),
        (("--no-loud", "--count", "0"), Settings(loud=False, count=0)),
    ],
)
def test_flags(arguments, expected):
    assert parse(*arguments) == expected


@pytest.mark.parametrize("arguments", [("--count", "x"), ("--colour", "green")])
def test_bad_flags(arguments):
    with pytest.raises(SystemExit):
        parse(*arguments)


def test_help_shows_text_and_default():
    parser = argparse.ArgumentParser()
    add_options(parser, Settings)
    text = " ".join(parser.format_help().split())
    assert "how many (default: 3)" in text and "from where --" in text


def test_saved_as_json(tmp_path):
    save_json(Settings(source=Path("a/b")), tmp_path / "settings.json")
    saved = json.loads((tmp_path / "settings.json").read_text())
    assert saved == {
        **{"count": 3, "rate": 0.5, "colour": "red", "source": "a/b", "extra": [], "loud": False}
    }
