"""Checks the paths that callers of the library pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def checked_path(argument: str, value: Any) -> Path:
    """Return `value` as a path. Raises ValueError, which names the `argument`, if it is neither a str nor a Path."""
    if not isinstance(value, str | Path):
        raise ValueError(f"{argument}: expected a path, got {type(value).__name__}")
    return Path(value)
