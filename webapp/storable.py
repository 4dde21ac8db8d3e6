"""Refuses what the databases cannot store: the character NUL, lone surrogates (halves of characters), whole numbers
beyond 64 bits, NaN and infinity.

Without this check storing would fail each time, and the page would send the same message again and again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

MOST = (1 << 63) - 1  # The largest whole number in both databases; the smallest is -MOST - 1.
NUL = "A text must not contain the character NUL (U+0000). Remove it and try again."
HALF = "A text has half of a character (a lone surrogate). Remove it and try again."
NUMBER = "A number is too large, or is none (NaN). Send a smaller one."


def refusal_of(data: object) -> str | None:
    """Return a sentence that says what of parsed JSON cannot be stored, and where, or None if all of it can."""
    found = _find(data)
    if found is None:
        return None
    refusal, places = found
    return f"{'.'.join(reversed(places))}: {refusal}" if places else refusal


def _find(data: object) -> tuple[str, list[str]] | None:
    """Return why a part of `data` cannot be stored, with the keys and indexes that lead to it, the innermost first.

    The place is put together only where there is a fault, because a scribble has thousands of numbers.
    """
    refusal: str | None = None
    match data:
        case str():
            refusal = _refusal_of_text(data)
        case bool():
            pass
        case int():
            refusal = None if -MOST - 1 <= data <= MOST else NUMBER
        case float():
            refusal = None if math.isfinite(data) else NUMBER
        case list():
            return _first(enumerate(data))
        case dict():
            return _first((name, name) for name in data) or _first(data.items())
    return None if refusal is None else (refusal, [])


def _first(parts: Iterable[tuple[object, object]]) -> tuple[str, list[str]] | None:
    for name, part in parts:
        found = _find(part)
        if found is not None:
            found[1].append(_shown(str(name)))
            return found
    return None


def _shown(name: str) -> str:
    """Return the name of a field with escapes for what UTF-8 cannot hold, because the refusal quotes it."""
    return name.encode("utf-8", "backslashreplace").decode()


def _refusal_of_text(text: str) -> str | None:
    if "\0" in text:
        return NUL
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return HALF
    return None
