"""The names of engines that a project or round may use. The inference layer sets them when it starts."""

from __future__ import annotations

from collections.abc import Callable

from webapp.problems import Problem

_names: list[Callable[[], list[str]]] = []


def know(names: Callable[[], list[str]]) -> None:
    """Set the function that returns the names of all engines, including "default"."""
    _names[:] = [names]


def checked_engine(name: str) -> str:
    """Return `name`. Raises Problem with the names of the engines if there is none of this name.

    Before `know` was called, every name is accepted.
    """
    known = [name for names in _names for name in names()]
    if known and name not in known:
        raise Problem("unknown_engine", f"There is no engine called {name}. Choose one of {', '.join(known)}.")
    return name
