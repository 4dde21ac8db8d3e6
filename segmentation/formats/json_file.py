"""Reads JSON files of other programs, with errors that name the wrong field."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class AnnotationError(ValueError):
    """An annotation file cannot be used; the message names the wrong part of it."""


def parse_any_json(text: str | bytes) -> Any:
    """Parse JSON of any kind. Lists of numbers 0..255 called "rle", as Label Studio writes them, become bytes.

    Raises AnnotationError if the text is not JSON.
    """
    try:
        return json.loads(text, object_hook=_with_short_runs)
    except (ValueError, RecursionError):
        raise AnnotationError("it is not JSON") from None


def _with_short_runs(data: dict[str, Any]) -> dict[str, Any]:
    """Replace a list of numbers 0..255 called "rle" by bytes, which take an eighth of the memory."""
    runs = data.get("rle")
    if isinstance(runs, list):
        with suppress(TypeError, ValueError):
            data["rle"] = bytes(runs)
    return data


def parse_json(text: str | bytes) -> dict[str, Any]:
    """Parse text that must be one JSON object. Raises AnnotationError if it is anything else."""
    data = parse_any_json(text)
    if not isinstance(data, dict):
        raise AnnotationError("expected a JSON object")
    return data


def field(data: Any, name: str, kind: type[T], place: str) -> T:
    """Return the field `name` of the JSON object `data`, which must have the type `kind`.

    Raises:
        AnnotationError: the field is missing or of another type. The message names the field as `place`.`name`.
    """
    value = data.get(name) if isinstance(data, dict) else None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise AnnotationError(f"{place}.{name}: expected {_names[kind]}")
    return value


def at_place(place: str, act: Callable[[], T], *errors: type[Exception]) -> T:
    """Return `act()`. An exception of the classes `errors` becomes an AnnotationError that names `place`."""
    try:
        return act()
    except errors as error:
        raise AnnotationError(f"{place}: {error}") from None


_names: dict[type, str] = {int: "a whole number", str: "a text", list: "a list", dict: "an object"}
