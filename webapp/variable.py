"""The description of a setting: its environment variable, the function that reads it, and texts about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Variable:
    """A setting: an environment variable.

    `read` turns its text into a value, or raises ValueError; `form` describes the text that it takes, and `help` the
    setting.
    """

    name: str
    default: str
    read: Callable[[str], Any]
    form: str
    help: str
    secret: bool = False  # errors must not show its value
