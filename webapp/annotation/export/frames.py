"""Writes the frames of a video into an export file that has annotations."""

from __future__ import annotations

import zipfile
from collections.abc import Callable

from segmentation.formats.annotated_video import AnnotatedVideo
from webapp.annotation.export.subject import Subject
from webapp.videos.storage import StoredFrames


def write_frames(
    archive: zipfile.ZipFile, subject: Subject, video: AnnotatedVideo, after_each: Callable[[], None]
) -> None:
    """Write the frames as JPEGImages/<video>/<frame>.jpg. `after_each` is called after each frame."""
    for path, name in zip(StoredFrames(subject.video).paths, video.frames, strict=True):
        archive.write(path, f"JPEGImages/{video.name}/{name}.jpg")
        after_each()
