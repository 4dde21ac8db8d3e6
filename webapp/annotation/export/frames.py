"""Writes the frames of a video into an export file that has annotations."""

from __future__ import annotations

import zipfile
from collections.abc import Callable

from segmentation.formats.annotated_video import AnnotatedVideo
from webapp.annotation.export.subject import Subject


def write_frames(
    archive: zipfile.ZipFile,
    subject: Subject,
    video: AnnotatedVideo,
    after_each: Callable[[], None],
    folder: str = "JPEGImages",
) -> None:
    """Write the frames as <folder>/<video>/<frame>.jpg. `after_each` is called after each frame."""
    for index, name in zip(subject.indexes, video.frames, strict=True):
        subject.write_frame(archive, index, f"{folder}/{video.name}/{name}.jpg")
        after_each()
