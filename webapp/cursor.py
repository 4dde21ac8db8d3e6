"""Cursors: where a page of a sorted list ends and the next one begins."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import date, datetime
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

from webapp.problems import Problem
from webapp.storable import refusal_of

Row = TypeVar("Row", bound=Model)
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
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError, OverflowError):
        raise _bad() from None
    if (
        given != order
        or not 0 <= pk < 1 << 63
        or (isinstance(value, int) and abs(value) >= 1 << 63)
        or refusal_of(value)
    ):
        raise _bad()
    return value, pk


def behind(rows: QuerySet[Row], cursor: str, order: str, *, descending: bool) -> QuerySet[Row]:
    """Return those of `rows` that come after the cursor, by their annotation `sort_key` and then by id.

    Raises Problem "bad_cursor".
    """
    value, pk = unpack(cursor, order)
    side = "lt" if descending else "gt"
    after = Q(**{f"sort_key__{side}": value}) | Q(sort_key=value, **{f"pk__{side}": pk})
    try:
        return rows.filter(after)
    except (ValueError, TypeError, ValidationError):  # The value has another type than the column.
        raise _bad() from None


def _bad() -> Problem:
    return Problem("bad_cursor", "The list has another order by now. Load it from its beginning.", field="after")
