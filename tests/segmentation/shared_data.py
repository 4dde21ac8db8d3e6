"""Optional real videos and golden numbers from outside the repository. Tests skip without them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("MASKWRIGHT_SHARED", Path(__file__).parents[3] / "shared"))


def shared(relative: str) -> Path:
    """Return the path of an optional file or folder. Skip the test, with a reason, where it does not exist."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"{relative} is not here (set MASKWRIGHT_SHARED to the folder of shared data)")
    return path
