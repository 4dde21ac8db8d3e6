"""Make zips and images for the tests: ordinary ones, and some that an attacker might upload."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.webapp.videos.clips import numbered


def picture(array: NDArray[np.uint8], kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, kind, **options)
    return buffer.getvalue()


def numbered_picture(index: int, kind: str = "PNG") -> bytes:
    return picture(numbered(index), kind)


def write_zip(path: Path, files: Iterable[tuple[str, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return path


def animated_png(pages: Sequence[NDArray[np.uint16]], *, before: bool = False) -> bytes:
    """Encode an animated PNG of RGB pages with 16 bits. A page that is smaller than the first replaces the upper left.

    With `before`, the first page stands before the animation and is no part of it.
    """
    height, width, _ = pages[0].shape
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0))]
    parts.append((b"acTL", struct.pack(">II", len(pages) - before, 0)))
    number = 0
    for index, page in enumerate(pages):
        data = zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in page))
        if index or not before:
            size = (page.shape[1], page.shape[0])
            parts.append((b"fcTL", struct.pack(">IIIIIHHBB", number, *size, 0, 0, 1, 10, 0, 0)))
            number += 1
        if index:
            parts.append((b"fdAT", struct.pack(">I", number) + data))
            number += 1
        else:
            parts.append((b"IDAT", data))
    chunks = [struct.pack(">I", len(data)) + kind + data for kind, data in [*parts, (b"IEND", b"")]]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk + struct.pack(">I", zlib.crc32(chunk[4:])) for chunk in chunks)


def write_link(path: Path, target: str) -> Path:
    """Write a zip with a PNG and a symbolic link (1.png) to `target`. Return `path`."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("0.png", numbered_picture(0))
        entry = zipfile.ZipInfo("1.png")
        entry.create_system = 3
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, target)
    return path


def huge_png(side: int) -> bytes:
    """Return a black PNG of side x side pixels. Its file is small, because deflate compresses zeros a thousandfold."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    squeeze = zlib.compressobj(9)
    line = bytes(1 + (side + 7) // 8)
    body = b"".join(squeeze.compress(line) for _ in range(side)) + squeeze.flush()
    header = struct.pack(">LLBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
