"""The export format overlay: a video that shows the masks over the frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from webapp.annotation.codec import LabelMap
from webapp.annotation.export.format import Format
from webapp.annotation.export.subject import Subject, Tick
from webapp.annotation.export.video_file import Encoding, write_video
from webapp.annotation.models import Object
from webapp.videos.storage import RgbFrame

OPACITY = 0.5
CRF = "18"  # quality of H.264; at 18 the result is hard to tell from the frames by eye
INDEX_BYTES, INDEX_BYTES_A_FRAME = 8192, 64  # together more than the index of an mp4 with one stream takes


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write an mp4 (H.264) of the frames of one video, with the masks over them in the colours of the objects."""
    (subject,) = subjects
    colors = _colors(subject.objects)
    # Reserve room for the index before the frames, so that players can start at once. The option faststart would move
    # all frames at the end instead; that takes long for a large file, and blocks the heartbeat of this process.
    room = INDEX_BYTES + INDEX_BYTES_A_FRAME * len(subject.indexes)
    # Every player supports yuv420p.
    options = {"crf": CRF, "preset": "veryfast"}
    encoding = Encoding("mp4", "libx264", "yuv420p", options, {"moov_size": str(room)})

    def draw(picture: RgbFrame, labels: LabelMap | None) -> RgbFrame:
        return picture if labels is None else paint(picture, labels, colors)

    write_video(subject, path, tick, encoding, draw)


def paint(picture: RgbFrame, labels: LabelMap, colors: NDArray[np.uint8]) -> RgbFrame:
    """Tint the objects of `labels` in a frame and draw their outlines. `colors` is uint8 [256, 3], by object id."""
    import cv2  # the web process imports this module

    rows, columns = np.flatnonzero(labels.any(axis=1)), np.flatnonzero(np.bitwise_or.reduce(labels, axis=0))
    painted = picture.copy()
    if not rows.size:
        return painted
    # Everything happens inside the box of the objects, with a pixel around it for the outlines.
    box = np.s_[max(rows[0] - 1, 0) : rows[-1] + 2, max(columns[0] - 1, 0) : columns[-1] + 2]
    inner, at = labels[box].copy(), picture[box].copy()
    tint = cv2.LUT(cv2.merge([inner, inner, inner]), colors.reshape(1, 256, 3))
    mixed = cv2.addWeighted(at, 1 - OPACITY, tint, OPACITY, 0)
    mixed = cv2.copyTo(tint, _edges(inner).astype(np.uint8), mixed)
    painted[box] = cv2.copyTo(mixed, inner, at)
    return painted


def _edges(labels: LabelMap) -> NDArray[np.bool_]:
    """Return the pixels whose id differs from that of one of their four neighbours."""
    edge = np.zeros(labels.shape, bool)
    down, right = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    edge[1:] |= down
    edge[:-1] |= down
    edge[:, 1:] |= right
    edge[:, :-1] |= right
    return edge


def _colors(objects: list[Object]) -> NDArray[np.uint8]:
    colors = np.zeros((256, 3), np.uint8)
    for object_ in objects:
        colors[object_.number] = tuple(bytes.fromhex(object_.color[1:]))
    return colors


FORMAT = Format(
    name="overlay",
    title="Overlay video",
    note="An mp4 (H.264) of the frames with the masks in colour over them, to show to somebody.",
    suffix="mp4",
    media_type="video/mp4",
    write=write,
    of_project=False,
)
