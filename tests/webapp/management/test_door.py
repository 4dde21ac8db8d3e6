"""manage.py itself: what it sets before anything is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SHOW = "import os; print(os.environ['OPENBLAS_NUM_THREADS'])"


@pytest.mark.parametrize(("given", "taken"), [(None, "1"), ("3", "3")])
def test_blas_does_not_take_the_cores_from_the_engines(given: str | None, taken: str, tmp_path: Path) -> None:
    rest = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    environment = rest | {"MASKWRIGHT_HOME": str(tmp_path)} | ({"OPENBLAS_NUM_THREADS": given} if given else {})
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", SHOW]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split()[0] == taken
