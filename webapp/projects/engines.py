"""Which engines a project or a round may name. The layer that knows the engines says so when it starts."""

from __future__ import annotations

from collections.abc import Callable

from webapp.problems import Problem

_names: list[Callable[[], list[str]]] = []


def know(names: Callable[[], list[str]]) -> None:
    """Take `names` as what there is, "default" included."""
    _names[:] = [names]


def checked_engine(name: str) -> str:
    """`name`, if there is such an engine. Raises Problem that lists the known ones."""
    known = [name for names in _names for name in names()]
    if known and name not in known:
        raise Problem("unknown_engine", f"There is no engine called {name}. Choose one of {', '.join(known)}.")
    return name
