"""Refuses what the databases cannot store: the character NUL, halves of characters, and numbers beyond 64 bits.

Without this check storing would fail each time, and the page would send the same message again and again.
"""

from __future__ import annotations

import math

MOST = (1 << 63) - 1  # The largest whole number in both databases; the smallest is -MOST - 1.
NUL = "A text must not contain the character NUL (U+0000). Remove it and try again."
HALF = "A text has half of a character (a lone surrogate). Remove it and try again."
NUMBER = "A number is too large, or is none (NaN). Send a smaller one."


def refusal_of(data: object) -> str | None:
    """Return a sentence that says why parsed JSON cannot be stored, or None if it can."""
    match data:
        case str():
            return _refusal_of_text(data)
        case bool():
            return None
        case int():
            return None if -MOST - 1 <= data <= MOST else NUMBER
        case float():
            return None if math.isfinite(data) else NUMBER
        case list():
            return next(filter(None, map(refusal_of, data)), None)
        case dict():
            return next(filter(None, (refusal_of(part) for pair in data.items() for part in pair)), None)
    return None


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
