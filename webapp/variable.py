"""A setting as a row of a table: an environment variable, how it is read, and what to say about it."""

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
