"""Refuses texts with the character NUL, which Postgres cannot store.

Without this check storing would fail each time, and the page would send the same message again and again.
"""

from __future__ import annotations

REFUSAL = "A text must not contain the character NUL (U+0000). Remove it and try again."


def contains_nul(data: object) -> bool:
    """Return whether parsed JSON has the character NUL in a text or in the name of a field."""
    match data:
        case str():
            return "\0" in data
        case list():
            return any(contains_nul(item) for item in data)
        case dict():
            return any(contains_nul(part) for pair in data.items() for part in pair)
    return False
