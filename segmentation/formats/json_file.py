"""Reads JSON files of other programs, and says which field of them is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class AnnotationError(ValueError):
    """An annotation file that cannot be used; the sentence names the place that is wrong."""


def parse_json(text: str | bytes) -> dict[str, Any]:
    """Parse a file whose content is one JSON object. Raises AnnotationError."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise AnnotationError("it is not JSON") from None
    if not isinstance(data, dict):
        raise AnnotationError("expected a JSON object")
    return data


def field(data: Any, name: str, kind: type[T], place: str) -> T:
    """Return the field `name` of a JSON object. Raises AnnotationError if it is missing or of another kind."""
    value = data.get(name) if isinstance(data, dict) else None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise AnnotationError(f"{place}.{name}: expected {_names[kind]}")
    return value


def at_place(place: str, act: Callable[[], T], *errors: type[Exception]) -> T:
    """Run `act`. An exception of the kinds `errors` becomes an AnnotationError that names `place`."""
    try:
        return act()
    except errors as error:
        raise AnnotationError(f"{place}: {error}") from None


_names: dict[type, str] = {int: "a whole number", str: "a text", list: "a list", dict: "an object"}
