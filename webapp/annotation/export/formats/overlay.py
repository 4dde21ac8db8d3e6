"""A video that shows the masks over the frames."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from webapp.annotation.codec import LabelMap
from webapp.annotation.export.format import Format
from webapp.annotation.export.subject import Subject, Tick
from webapp.annotation.models import Object
from webapp.videos.storage import RgbFrame, StoredFrames

OPACITY = 0.5
CRF = "18"  # close to what the eye cannot tell from the frames
HD_HEIGHT = 720
INDEX_BYTES, INDEX_BYTES_A_FRAME = 8192, 64  # more than an mp4 of one stream needs, whatever its frames are like
BT709, SMPTE170M, LIMITED = 1, 6, 1  # numbers of ISO/IEC 23091-2, as H.264 carries them


def write(subject: Subject, path: Path, tick: Tick) -> None:
    """An mp4 (H.264) of the frames with the masks in the objects' colours over them."""
    import av  # the web process reads this module too, and has no use for a decoder

    video = subject.video
    frames = StoredFrames(video)
    colors = _colors(subject.objects)
    hd = video.height >= HD_HEIGHT
    # Room for the index before the frames, so that players can begin at once. To move all of them behind it at the end
    # (faststart) takes long for a large file, and no other thread of this process runs meanwhile.
    room = INDEX_BYTES + INDEX_BYTES_A_FRAME * video.frame_count
    with av.open(str(path), "w", format="mp4", options={"moov_size": str(room)}) as file:
        stream = file.add_stream("libx264", rate=Fraction(video.fps).limit_denominator(1001))
        stream.width, stream.height = video.width + video.width % 2, video.height + video.height % 2
        stream.pix_fmt = "yuv420p"  # the one that every player takes; it wants even sizes
        stream.options = {"crf": CRF, "preset": "veryfast"}
        stream.codec_context.colorspace = BT709 if hd else SMPTE170M
        stream.codec_context.color_range = LIMITED
        for index, labels in subject.frames():
            picture = frames[index] if labels is None else paint(frames[index], labels, colors)
            frame = av.VideoFrame.from_ndarray(_even(picture), format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709" if hd else "ITU601")
            frame.pts = index
            file.mux(stream.encode(frame))
            tick(index + 1)
        file.mux(stream.encode(None))


def paint(picture: RgbFrame, labels: LabelMap, colors: NDArray[np.uint8]) -> RgbFrame:
    """`picture` with the objects of `labels` tinted and their outlines in full colour. `colors` is uint8 [256, 3]."""
    inside = labels > 0
    tint = colors[labels]
    painted = picture.copy()
    mixed = picture[inside] * (1 - OPACITY) + tint[inside] * OPACITY
    painted[inside] = mixed.astype(np.uint8)
    edge = _edges(labels) & inside
    painted[edge] = tint[edge]
    return painted


def _edges(labels: LabelMap) -> NDArray[np.bool_]:
    """Pixels that have another id than one of their four neighbours."""
    edge = np.zeros(labels.shape, bool)
    down, right = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    edge[1:] |= down
    edge[:-1] |= down
    edge[:, 1:] |= right
    edge[:, :-1] |= right
    return edge


def _even(picture: RgbFrame) -> RgbFrame:
    """With the last row and column doubled where the size is odd."""
    height, width = picture.shape[:2]
    if height % 2 or width % 2:
        picture = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(picture)


def _colors(objects: list[Object]) -> NDArray[np.uint8]:
    colors = np.zeros((256, 3), np.uint8)
    for one in objects:
        colors[one.number] = tuple(bytes.fromhex(one.color[1:]))
    return colors


FORMAT = Format(
    name="overlay",
    title="Overlay video",
    note="An mp4 (H.264) of the frames with the masks in colour over them, to show to somebody.",
    suffix="mp4",
    media_type="video/mp4",
    write=write,
)
