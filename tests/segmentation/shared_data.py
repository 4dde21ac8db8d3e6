"""Optional real videos and golden numbers from outside the repository. Tests skip without them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("MASKWRIGHT_SHARED", Path(__file__).parents[3] / "shared"))


def shared(relative: str) -> Path:
    """A file or folder of the shared material; skips the test, with the reason, where it is absent."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"{relative} is not here (set MASKWRIGHT_SHARED to the folder of shared data)")
    return path
