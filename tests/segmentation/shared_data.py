"""Finds real videos and golden arrays that are not in the repository. Tests that need them are skipped without them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("MASKWRIGHT_SHARED", Path(__file__).parents[3] / "shared"))


def shared(relative: str) -> Path:
    """Return the path of a file or folder in the shared data. If it does not exist, skip the test with a reason."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"{relative} is not here (set MASKWRIGHT_SHARED to the folder of shared data)")
    return path
