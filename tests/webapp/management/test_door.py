"""Tests that manage.py sets environment variables for the thread pools of libraries before it imports the libraries."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SHOW = "import os; print(os.environ['{name}'])"


@pytest.mark.parametrize(("name", "own"), [("OPENBLAS_NUM_THREADS", "1"), ("GOMP_SPINCOUNT", "2000")])
@pytest.mark.parametrize("given", [None, "3"])
def test_threads_that_wait_do_not_take_the_cores_from_the_engines(
    name: str, own: str, given: str | None, tmp_path: Path
) -> None:
    rest = {key: value for key, value in os.environ.items() if key != name}
    environment = rest | {"MASKWRIGHT_HOME": str(tmp_path)} | ({name: given} if given else {})
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", SHOW.format(name=name)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split()[0] == (given or own)
