"""Packs the thumbnails of several frames into one answer, because a request for each would cost far more time."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from webapp.storage.files import storage
from webapp.videos.storage import VideoFiles

MOST_THUMBNAILS = 128  # The most in one answer, which has about a megabyte.
HEAD = struct.Struct("<II")  # The frame's index and the size of its JPEG in bytes.


def packed_thumbnails(video_id: int, frames: Sequence[int]) -> tuple[bytes, bool]:
    """Return the JPEGs of `frames`, each behind a `HEAD`, and whether all exist. Those that do not are left out."""
    names = [VideoFiles(video_id).thumb(frame) for frame in frames]
    files = storage()
    files.fetch_ahead(names)
    parts: list[bytes] = []
    for frame, name in zip(frames, names, strict=True):
        try:
            with files.open_cached(name) as file:
                data = file.read()
        except FileNotFoundError:
            continue
        parts += (HEAD.pack(frame, len(data)), data)
    return b"".join(parts), len(parts) == 2 * len(frames)
