"""The README's console sessions print what the README says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from common.paths import ROOT

CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)


def sessions() -> list[tuple[str, str]]:
    """Each command of the README with the output printed below it."""
    found = []
    for block in CONSOLE.findall((ROOT / "README.md").read_text()):
        for part in block.split("$ ")[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A shell in which ``python`` is the one that runs the tests."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (folder / "python").chmod(0o755)
    Path("/tmp/faunacheck-answers.tsv").unlink(missing_ok=True)  # of an earlier run
    # Without what `make test` tells the makes below it, so that `make run` prints as from a shell.
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    return clean | {"PATH": f"{folder}:{os.environ['PATH']}"}


def test_there_are_sessions():
    commands = [command for command, _ in sessions()]
    assert "make run" in commands and len(commands) >= 8


@pytest.mark.parametrize(("command", "output"), sessions(), ids=[c for c, _ in sessions()])
def test_session(command, output, environment):
    done = subprocess.run(
        command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.stdout == output, done.stderr
