"""The batch on a local Ray cluster: the rows of one machine, even if a worker dies."""

import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import error_of, noise_pairs, script

from common.paths import ROOT

pytest.importorskip("ray")


def actors() -> list[int]:
    """The processes that hold the models."""
    found = subprocess.run(["pgrep", "-f", "^ray::Answerer"], capture_output=True, text=True)
    return [int(number) for number in found.stdout.split()]


@pytest.mark.slow
def test_a_worker_dies_and_nothing_is_lost(tmp_path):
    pairs = noise_pairs(tmp_path, 700, "There is no cow but cat number {}.")
    output, expected = tmp_path / "ray.csv", tmp_path / "local.csv"
    script("pipeline.py", "--pairs", pairs, "--output", expected, check=False)

    command = [sys.executable, ROOT / "pipeline.py", "--engine", "ray"]
    process = subprocess.Popen(
        [*command, "--pairs", pairs, "--output", output], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 300
    while not output.exists() or output.read_bytes().count(b"\n") < 2:  # the first block is there
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    assert output.read_bytes().count(b"\n") < 600
    os.kill(actors()[0], signal.SIGKILL)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 3 and "14 failed" in errors, errors
    assert output.read_bytes() == expected.read_bytes()


def test_without_ray(tmp_path):
    (tmp_path / "ray.py").write_text("raise ImportError('none', name='ray')")
    (tmp_path / "pairs.csv").write_text("text,image\n")
    done = script(
        *("pipeline.py", "--engine", "ray", "--pairs", tmp_path / "pairs.csv"),
        *("--output", tmp_path / "out.csv"),
        env={"PYTHONPATH": str(tmp_path)},
        check=False,
    )
    expected = "error: --engine ray: needs ray; pip install -r requirements-cluster.txt"
    assert error_of(done) == expected
