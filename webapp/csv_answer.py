"""Answers with a CSV file that a spreadsheet can open."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from django.http import HttpResponse
from django.utils.http import content_disposition_header

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_answer(name: str, header: Iterable[str], rows: Iterable[Iterable[object]]) -> HttpResponse:
    """Return a CSV file called `name`, in UTF-8 with a byte order mark, by which spreadsheets recognise the encoding.

    A text that a spreadsheet would take for a formula gets an apostrophe in front, so that opening the file runs
    nothing. None is written as an empty cell.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    answer = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = content_disposition_header(True, name)
    answer["Cache-Control"] = "private, no-store"
    return answer


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
