"""Cursors: where a page of a sorted list ends and the next one begins."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import date, datetime
from typing import Any

from django.db.models import Q

from webapp.problems import Problem

Value = str | int | float | date | datetime


def pack(order: str, value: Value, pk: int) -> str:
    """Return the cursor after a row, as text for an address. `value` is what the list is sorted by.

    `order` names the order, so that the cursor of one order is refused in another one.
    """
    kind = type(value).__name__
    plain = value.isoformat() if isinstance(value, date) else value
    text = json.dumps([order, kind, plain, pk], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def unpack(cursor: str, order: str) -> tuple[Value, int]:
    """Return the value and the id of the row that the cursor stands after. Raises Problem "bad_cursor"."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        given, kind, plain, pk = json.loads(text)
        readers: dict[str, Any] = {
            "date": date.fromisoformat,
            "datetime": datetime.fromisoformat,
            "str": str,
            "int": int,
            "float": float,
        }
        value, pk = readers[kind](plain), int(pk)
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError):
        raise _bad() from None
    if given != order or not 0 <= pk < 1 << 63 or (isinstance(value, int) and abs(value) >= 1 << 63):
        raise _bad()
    return value, pk


def behind(value: Value, pk: int, *, descending: bool) -> Q:
    """Return the condition that a row comes after the one with this `sort_key` and this id. Ids break ties."""
    side = "lt" if descending else "gt"
    return Q(**{f"sort_key__{side}": value}) | Q(sort_key=value, **{f"pk__{side}": pk})


def _bad() -> Problem:
    return Problem("bad_cursor", "The list has another order by now. Load it from its beginning.", field="after")
