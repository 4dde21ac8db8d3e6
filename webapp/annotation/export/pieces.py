"""Writes large text files into an export piece by piece, so that memory does not grow with the number of frames."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Iterable, Iterator


def write_pieces(archive: zipfile.ZipFile, name: str, pieces: Iterable[bytes]) -> None:
    """Write a file into a zip, compressed. Each of the pieces is written before the next is made."""
    entry = zipfile.ZipInfo(name, time.localtime()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(entry, "w", force_zip64=True) as file:
        for piece in pieces:
            file.write(piece)


def json_rows(before: str, rows: Iterable[object], after: str) -> Iterator[bytes]:
    """Yield the text of a JSON file: a list of `rows`, each in a line of its own, between two parts of the text.

    For a file that is the list alone, these parts are "[" and "]".
    """
    yield before.encode()
    between = "\n"
    for row in rows:
        yield f"{between}{json.dumps(row, separators=(',', ':'))}".encode()
        between = ",\n"
    yield f"\n{after}\n".encode()
