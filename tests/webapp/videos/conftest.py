"""Each test here has a data folder of its own, so that it can look at all that was left in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    settings.HOME = folder
    return folder


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if not path.is_dir()]
