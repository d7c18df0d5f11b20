"""The decision needs nothing but the standard library, whatever else is installed."""

import subprocess
import sys

import pytest

from common.paths import ROOT


@pytest.mark.parametrize("module", ["claim", "resolve", "taxonomy", "verdict"])
def test_matching_loads_only_itself_and_errors(module):
    code = (
        "import sys; before = set(sys.modules); import matching.MODULE; "
        "print(*{m.split('.')[0] + '.' * (m.split('.')[0] == 'common') + m.partition('.')[2] * "
        "m.startswith('common') for m in set(sys.modules) - before})"
    ).replace("MODULE", module)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    allowed = {"common.", "common.errors", "matching"} | sys.stdlib_module_names
    assert done.returncode == 0 and not loaded - allowed
    assert not loaded & {"argparse", "numpy"}
