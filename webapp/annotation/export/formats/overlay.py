"""The export format overlay: a video that shows the masks over the frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmentation.formats.matte import soft_matte
from webapp.annotation.codec import LabelMap
from webapp.annotation.export.format import Format
from webapp.annotation.export.options import Look
from webapp.annotation.export.subject import Subject, Tick
from webapp.annotation.export.video_file import Encoding, write_video
from webapp.annotation.models import Object
from webapp.videos.storage import RgbFrame

CRF = "18"  # quality of H.264; at 18 the result is hard to tell from the frames by eye
INDEX_BYTES, INDEX_BYTES_A_FRAME = 8192, 64  # together more than the index of an mp4 with one stream takes


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write an mp4 (H.264) of the frames of one video, with the masks over them in the colours of the objects."""
    (subject,) = subjects
    look = subject.options.look
    colors = _colors(subject.objects, look.color)
    # Reserve room for the index before the frames, so that players can start at once. The option faststart would move
    # all frames at the end instead; that takes long for a large file, and blocks the heartbeat of this process.
    room = INDEX_BYTES + INDEX_BYTES_A_FRAME * len(subject.indexes)
    # Every player supports yuv420p.
    options = {"crf": CRF, "preset": "veryfast"}
    encoding = Encoding("mp4", "libx264", "yuv420p", options, {"moov_size": str(room)})

    def draw(picture: RgbFrame, labels: LabelMap | None) -> RgbFrame:
        if labels is None:
            return picture if look.background is None else np.full_like(picture, _rgb(look.background))
        return paint(picture, labels, colors, look, subject.options.matte.edge)

    write_video(subject, path, tick, encoding, draw)


def paint(
    picture: RgbFrame, labels: LabelMap, colors: NDArray[np.uint8], look: Look, edge: int | None = None
) -> RgbFrame:
    """Tint the objects of `labels` in a frame and draw their outlines. `colors` is uint8 [256, 3], by object id.

    `edge` is half the width of the soft edge of the objects where `look` has a background, as in `soft_matte`.
    """
    import cv2  # the web process imports this module

    rows, columns = np.flatnonzero(labels.any(axis=1)), np.flatnonzero(np.bitwise_or.reduce(labels, axis=0))
    if not rows.size:
        return picture.copy() if look.background is None else np.full_like(picture, _rgb(look.background))
    # Everything but the background happens inside the box of the objects, with a pixel around it for the outlines.
    box = np.s_[max(rows[0] - 1, 0) : rows[-1] + 2, max(columns[0] - 1, 0) : columns[-1] + 2]
    inner = labels[box].copy()
    tint = _colored(inner, colors)
    if look.background is None:
        painted = picture.copy()
        mixed = cv2.addWeighted(painted[box], 1 - look.opacity, tint, look.opacity, 0)
        painted[box] = cv2.copyTo(mixed, inner, painted[box].copy())
    else:
        near = _colored(_nearest(labels), colors)  # A soft edge reaches outside the mask of its object.
        tinted = cv2.addWeighted(picture, 1 - look.opacity, near, look.opacity, 0)
        alpha = soft_matte(picture, labels > 0, edge)[..., None]
        painted = np.rint(tinted * alpha + _rgb(look.background) * (1 - alpha)).astype(np.uint8)
    if look.contour:
        painted[box] = cv2.copyTo(tint, _edges(inner, look.contour) & (inner > 0), painted[box].copy())
    return painted


def _colored(labels: LabelMap, colors: NDArray[np.uint8]) -> RgbFrame:
    import cv2

    return np.asarray(cv2.LUT(cv2.merge([labels, labels, labels]), colors.reshape(1, 256, 3)), np.uint8)


def _nearest(labels: LabelMap) -> LabelMap:
    """Return, for each pixel of a mask, the id of the object that is nearest to it. The mask must have an object."""
    import cv2

    outside = (labels == 0).astype(np.uint8)
    _, zones = cv2.distanceTransformWithLabels(outside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    ids = np.zeros(int(zones.max()) + 1, np.uint8)
    ids[zones[labels > 0]] = labels[labels > 0]
    return np.asarray(ids[zones])


def _edges(labels: LabelMap, width: int) -> NDArray[np.uint8]:
    """Return 1 at the pixels that are at most `width` steps (up, down, left or right) from another id, 0 elsewhere."""
    import cv2

    edge = np.zeros(labels.shape, np.uint8)
    down, right = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    edge[1:] |= down
    edge[:-1] |= down
    edge[:, 1:] |= right
    edge[:, :-1] |= right
    if width == 1:
        return edge
    return np.asarray(cv2.dilate(edge, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), iterations=width - 1))


def _colors(objects: list[Object], color: str | None) -> NDArray[np.uint8]:
    colors = np.zeros((256, 3), np.uint8)
    for object_ in objects:
        colors[object_.number] = _rgb(color or object_.color)
    return colors


def _rgb(color: str) -> NDArray[np.uint8]:
    """Return the red, green and blue of a colour such as #ff0000."""
    return np.frombuffer(bytes.fromhex(color[1:]), np.uint8)


FORMAT = Format(
    name="overlay",
    title="Overlay video",
    note="An mp4 (H.264) of the frames with the masks in colour over them, to show to somebody.",
    suffix="mp4",
    media_type="video/mp4",
    write=write,
    of_project=False,
    takes=("look", "matte"),
)
