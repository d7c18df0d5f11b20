"""Every script answers --help at once, both ways, and refuses unknown flags in one line."""

import subprocess
import sys

import pytest
from conftest import error_of, script

from common.paths import ROOT

SCRIPTS = [
    *(
        "pipeline.py",
        "service.py",
        "app.py",
        "matching/claims.py",
        "data/awa2.py",
        "data/multinerd.py",
    ),
    *("data/everyday.py", "data/taxonomy.py", "data/wordnet_names.py", "benchmarks/mutation.py"),
    *(f"benchmarks/{name}.py" for name in ("cards", "claims", "fine_tuning", "head", "precision")),
    *(f"benchmarks/{name}.py" for name in ("compare_versions", "robustness", "unknown")),
    *(f"benchmarks/{name}.py" for name in ("load", "one_shot", "plain", "throughput", "training")),
    *(f"classifier/{name}.py" for name in ("train", "evaluate", "export", "inference")),
    *(f"ner/{name}.py" for name in ("train", "evaluate", "export", "inference")),
]


def test_the_list_is_complete():
    found = {
        str(path.relative_to(ROOT))
        for package in ("classifier", "ner", "matching", "data", "common", "engine", "benchmarks")
        for path in (ROOT / package).glob("*.py")
        if "__main__" in path.read_text()
    }
    found |= {path.name for path in ROOT.glob("*.py")}
    assert found == set(SCRIPTS)


@pytest.mark.parametrize("path", SCRIPTS)
def test_help(path):
    done = script(path, "--help")
    module = path.removesuffix(".py").replace("/", ".")
    assert module.split(".")[-1] in done.stdout and "--" in done.stdout
    assert script("-m", module, "--help").stdout == done.stdout


@pytest.mark.parametrize("path", SCRIPTS)
def test_help_imports_nothing_heavy(path):
    code = f"""
import runpy, sys
sys.argv = [{path!r}, "--help"]
try:
    runpy.run_path({path!r}, run_name="__main__")
except SystemExit:
    pass
heavy = {{"torch", "transformers", "onnxruntime", "matplotlib"}} & set(sys.modules)
assert not heavy, heavy
"""
    script("-c", code)


@pytest.mark.parametrize("path", SCRIPTS)
def test_unknown_flag(path):
    line = error_of(script(path, "--no-such-flag", check=False))
    assert "--no-such-flag" in line or "required" in line


def test_a_closed_pipe_is_no_crash():
    command = f"{sys.executable} pipeline.py --list-animals | head -1"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.startswith("amazon_river_dolphin") and done.stderr == ""
