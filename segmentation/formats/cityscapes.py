"""Reads the instanceIds of Cityscapes (16 bits, class * 1000 + object), and writes its labelIds and file names."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import PurePosixPath

import numpy as np
from PIL import Image

from segmentation.formats.annotated_video import AnnotatedVideo
from segmentation.formats.file_tree import FileTree, natural
from segmentation.formats.mots import read_mots_pngs
from segmentation.types import LabelMap

# The classes of Cityscapes that have instances. Values below 1000 are regions without any, which are not read.
CLASSES = {
    24: "person", 25: "rider", 26: "car", 27: "truck", 28: "bus", 31: "train", 32: "motorcycle", 33: "bicycle",
}  # fmt: skip
FIRST_OWN_CLASS = 34
SEQUENCE = "000000"  # The number of the sequence in the names of files that Maskwright writes.
NAME = re.compile(r"(.+)_([0-9]+)_[^_]+_instanceids\.png", re.IGNORECASE)  # city_sequence_frame_gtFine_instanceIds.png


def file_name(video: str, frame: int, kind: str) -> str:
    """Return the name of a file without its suffix. `kind` is its last part, for example gtFine_instanceIds."""
    return f"{video}_{SEQUENCE}_{frame:06}_{kind}"


def encode_label_ids(labels: LabelMap, video: AnnotatedVideo, numbers: Mapping[str, int]) -> bytes:
    """Encode the classes of a mask, uint8 [H, W], as a PNG of labelIds. `numbers` are those of the classes by name."""
    table = np.zeros(256, np.uint8)
    for each in video.objects:
        table[each.id] = numbers[each.category]
    buffer = io.BytesIO()
    Image.fromarray(table[labels]).save(buffer, "PNG")
    return buffer.getvalue()


def read_cityscapes(files: FileTree, classes: Mapping[int, str] = CLASSES) -> list[AnnotatedVideo]:
    """Read the instanceIds in a tree of files: the frames of aachen_000000, for example, are one video, in the order of
    the last numbers in their names.

    If the sequence 000000 is the only one of its city, the video has the name of the city.

    Raises:
        AnnotationError: a file is damaged (the message names it), or a video has too many objects.
    """
    videos: dict[str, list[str]] = {}
    for name in sorted(files.names, key=natural):
        match = NAME.fullmatch(PurePosixPath(name).name)
        if match is not None:
            videos.setdefault(match[1], []).append(name)
    cities = [name.rpartition("_")[0] for name in videos]
    found = []
    for name, paths in videos.items():
        city, _, sequence = name.rpartition("_")
        title = city if sequence == SEQUENCE and cities.count(city) == 1 else name
        found.append(read_mots_pngs(paths, files.read, title, classes, least=1000, name_of=_frame))
    return found


def _frame(path: str) -> str:
    match = NAME.fullmatch(PurePosixPath(path).name)
    return match[2] if match else PurePosixPath(path).stem
