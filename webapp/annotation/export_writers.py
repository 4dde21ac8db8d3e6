"""The three kinds of export, written frame by frame: a DAVIS folder, a picture for each object, a video to show."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segmentation.formats.label_png import encode_labels
from webapp.annotation.codec import LabelMap
from webapp.annotation.export_files import folder_name
from webapp.annotation.masks import masks_of
from webapp.annotation.models import ExportKind, Object
from webapp.videos.models import Video
from webapp.videos.storage import RgbFrame, StoredFrames

OPACITY = 0.5
CRF = "18"  # close to what the eye cannot tell from the frames
HD_HEIGHT = 720
INDEX_BYTES, INDEX_BYTES_A_FRAME = 8192, 64  # more than an mp4 of one stream needs, whatever its frames are like
BT709, SMPTE170M, LIMITED = 1, 6, 1  # numbers of ISO/IEC 23091-2, as H.264 carries them

Tick = Callable[[int], None]  # called with the number of frames done; may raise to stop


@dataclass(frozen=True)
class Subject:
    """What is exported: the masks that a video has at one round, without objects that were deleted."""

    video: Video
    round_id: int

    @property
    def objects(self) -> list[Object]:
        return list(Object.objects.filter(video=self.video, deleted_at=None).select_related("label"))

    def frames(self) -> Iterator[tuple[int, LabelMap | None]]:
        """Every frame with its mask, uint8 [H, W], or None where the round's line has none."""
        kept = np.zeros(256, np.uint8)
        for one in self.objects:
            kept[one.number] = one.number
        masks = masks_of(self.video.pk, self.round_id)
        mask = next(masks, None)
        for index in range(self.video.frame_count):
            if mask is None or mask.frame != index:
                yield index, None
                continue
            yield index, kept[mask.labels]
            mask = next(masks, None)


def write_davis(subject: Subject, path: Path, tick: Tick) -> None:
    """A zip of JPEGImages and Annotations, as the challenge lays them out; it can be brought in again as it is."""
    resolution = "480p" if subject.video.height == 480 else "Full-Resolution"
    sequence = folder_name(subject.video.name)
    frames = StoredFrames(subject.video).paths
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # JPEG and PNG do not shrink further
        for index, labels in subject.frames():
            archive.write(frames[index], f"JPEGImages/{resolution}/{sequence}/{index:05}.jpg")
            if labels is not None:
                archive.writestr(f"Annotations/{resolution}/{sequence}/{index:05}.png", encode_labels(labels))
            tick(index + 1)
        archive.writestr("objects.json", _object_table(subject))


def write_objects(subject: Subject, path: Path, tick: Tick) -> None:
    """A zip with a folder for each object: grey PNG, 255 where the object is and 0 elsewhere."""
    folders = {one.number: f"{one.number:03}-{folder_name(one.name)}" for one in subject.objects}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for index, labels in subject.frames():
            if labels is not None:
                for number, folder in folders.items():
                    archive.writestr(f"{folder}/{index:05}.png", _binary_png(labels == number))
            tick(index + 1)
        archive.writestr("objects.json", _object_table(subject))


def write_overlay(subject: Subject, path: Path, tick: Tick) -> None:
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


WRITERS: dict[str, Callable[[Subject, Path, Tick], None]] = {
    ExportKind.DAVIS: write_davis,
    ExportKind.OBJECTS: write_objects,
    ExportKind.OVERLAY: write_overlay,
}


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


def _binary_png(mask: NDArray[np.bool_]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(buffer, "PNG")
    return buffer.getvalue()


def _colors(objects: list[Object]) -> NDArray[np.uint8]:
    colors = np.zeros((256, 3), np.uint8)
    for one in objects:
        colors[one.number] = tuple(bytes.fromhex(one.color[1:]))
    return colors


def _object_table(subject: Subject) -> str:
    rows = [
        {"id": one.number, "name": one.name, "color": one.color, "label": one.label.name if one.label else None}
        for one in subject.objects
    ]
    return json.dumps({"video": subject.video.name, "fps": subject.video.fps, "objects": rows}, indent=1)
