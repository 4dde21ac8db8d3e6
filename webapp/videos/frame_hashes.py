"""Hashes of the stored frames of videos, by which `fsck --deep` finds a frame that has changed since its import."""

from __future__ import annotations

from webapp.videos.frame_writer import HASH_BYTES
from webapp.videos.models import FrameHashes


def store_hashes(video_id: int, hashes: bytes) -> None:
    """Store the hashes of all frames of a video, one after the other, in place of earlier ones."""
    FrameHashes.objects.update_or_create(video_id=video_id, defaults={"data": hashes})


def hashes_of(video_id: int) -> dict[int, bytes] | None:
    """Return the hash of each frame by its index. None for a video that was imported by a version that stored none."""
    row = FrameHashes.objects.filter(video=video_id).first()
    if row is None:
        return None
    data = bytes(row.data)
    return {at // HASH_BYTES: data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)}


def copy_hashes(source_id: int, target_id: int) -> None:
    """Give a copy of a video the hashes of the original, if it has any."""
    for row in FrameHashes.objects.filter(video=source_id):
        store_hashes(target_id, bytes(row.data))
