"""The picture of a video in a list: the frame of the round at the head, with its mask drawn on it.

If that frame has no mask, it is the first frame that has one.
"""

from __future__ import annotations

import io

import numpy as np
from django.db.models import Min
from PIL import Image

from webapp.annotation.absence import absent_spans, without_absent
from webapp.annotation.masks import StoredMask, line_of, mask_at
from webapp.annotation.models import Head, Mask, Object
from webapp.videos.storage import VideoFiles, read_file

OPACITY = 0.55
QUALITY = 82


def draw_cover(video_id: int) -> bytes | None:
    """Return a JPEG of at most 256 pixels on its longest side, or None without a mask at the head or a thumbnail."""
    head = Head.objects.select_related("round").filter(video=video_id).first()
    if head is None or head.round is None:
        return None
    mask = mask_at(video_id, head.round_id, head.round.frame) or _first_mask(video_id, head.round_id)
    return None if mask is None else _drawn(VideoFiles(video_id).thumb(mask.frame), video_id, mask)


def _first_mask(video_id: int, head: int | None) -> StoredMask | None:
    first = Mask.objects.filter(round_id__in=line_of(head)).aggregate(first=Min("frame"))["first"]
    return None if first is None else mask_at(video_id, head, first)


def _drawn(thumbnail: str, video_id: int, mask: StoredMask) -> bytes | None:
    try:
        with Image.open(io.BytesIO(read_file(thumbnail)), formats=["JPEG"]) as image:
            picture = np.array(image.convert("RGB"))
    except FileNotFoundError:
        return None
    labels = without_absent(mask.labels, mask.frame, absent_spans(video_id))
    small = Image.fromarray(labels).resize(picture.shape[1::-1], Image.Resampling.NEAREST)
    colours, share = _colours(video_id)
    blend = share[np.asarray(small)][..., None]
    mixed = picture * (1 - blend) + colours[np.asarray(small)] * blend
    buffer = io.BytesIO()
    Image.fromarray(mixed.astype(np.uint8)).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def _colours(video_id: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the colour [256, 3] and the opacity [256] of each object id. Deleted objects are not drawn."""
    colours, share = np.zeros((256, 3), np.float32), np.zeros(256, np.float32)
    for number, color in Object.objects.filter(video=video_id, deleted_at=None).values_list("number", "color"):
        colours[number] = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
        share[number] = OPACITY
    return colours, share
