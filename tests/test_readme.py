"""The README's console sessions print what the README says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from common.paths import ROOT

CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
ANSWERS = "/tmp/faunacheck-answers.tsv"  # what a session writes


def sessions() -> list[list[tuple[str, str]]]:
    """Return the console blocks of the README: each command with the output printed below it."""
    blocks = CONSOLE.findall((ROOT / "README.md").read_text())
    parts = ([part.partition("\n") for part in block.split("$ ")[1:]] for block in blocks)
    return [[(command, output) for command, _, output in block] for block in parts]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A shell in which ``python`` is the one that runs the tests."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (folder / "python").chmod(0o755)
    # Without what `make test` tells the makes below it, so that `make run` prints as from a shell.
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    return clean | {"PATH": f"{folder}:{os.environ['PATH']}"}


def test_there_are_sessions():
    commands = [command for session in sessions() for command, _ in session]
    assert "make run" in commands and len(commands) >= 8


@pytest.mark.parametrize("session", sessions(), ids=lambda session: session[0][0])
def test_session(session, environment):
    if any(ANSWERS in command for command, _ in session):
        Path(ANSWERS).unlink(missing_ok=True)  # of an earlier run
    for command, output in session:  # one after the other: some read what those before them wrote
        done = subprocess.run(
            command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert done.stdout == output, done.stderr
