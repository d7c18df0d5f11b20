"""The reference page says what the parsers, the code and the outputs say."""

import json
import re

import pytest
import reference
from conftest import script

from common import cli
from common.paths import ROOT

PAIR = ("--text", "There is a raccoon.", "--image", "data/samples/raccoon.jpg")


def test_the_page_is_fresh():
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page()


def test_every_command_is_there():
    from test_scripts import SCRIPTS

    assert {name for name in SCRIPTS if not name.startswith("benchmarks/")} == set(
        reference.COMMANDS
    )


def test_exit_codes_are_those_of_the_code():
    codes = {value for name, value in vars(cli).items() if name.startswith("EXIT_")}
    assert codes <= set(reference.EXIT_CODES)


def test_environment_variables_are_those_of_the_code():
    found = set()
    for path in ROOT.rglob("*.py"):
        if path.relative_to(ROOT).parts[0] not in (".venv", ".venv-run", "tests", "benchmarks"):
            found |= set(re.findall(r'"(FAUNACHECK_\w+)"', path.read_text(encoding="utf-8")))
    assert found == {name for name in reference.VARIABLES if name.startswith("FAUNACHECK_")}


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("pipeline.py --format json, POST /v1/verify", ("pipeline.py", *PAIR, "--format", "json")),
        (
            "classifier/inference.py --format json",
            ("classifier/inference.py", *PAIR[2:], "--format", "json"),
        ),
        (
            "ner/inference.py --format json",
            ("ner/inference.py", "--text", "It is in Europe.", "--format", "json"),
        ),
        (
            "matching/claims.py --format jsonl",
            ("matching/claims.py", *PAIR[:2], "--format", "jsonl"),
        ),
    ],
)
def test_json_fields_are_those_of_the_output(name, command):
    found = reference.fields_of(json.loads(script(*command).stdout))
    assert found == reference.documented(name)
