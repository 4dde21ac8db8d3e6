"""Writes the zip of the formats that have all annotations in one JSON file, instances.json, beside the frames."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from segmentation.formats.annotated_video import AnnotatedVideo
from webapp.annotation.export.frames import write_frames
from webapp.annotation.export.subject import Counter, Subject, Tick, annotated

# Takes the videos and a function to call after each frame, and returns the content of the JSON file.
DataOf = Callable[[list[AnnotatedVideo], Callable[[], None]], dict[str, Any]]


def write_instances(subjects: Sequence[Subject], path: Path, tick: Tick, data_of: DataOf) -> None:
    """Write a zip with instances.json and JPEGImages. `tick` gets the number of frames whose masks are encoded."""
    videos, count = [annotated(subject) for subject in subjects], Counter(tick)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        text = json.dumps(data_of(videos, count), separators=(",", ":"))
        archive.writestr("instances.json", text, zipfile.ZIP_DEFLATED)
        for subject, video in zip(subjects, videos, strict=True):
            write_frames(archive, subject, video, count.again)
