"""Writes the zip of the formats that have all annotations in one JSON file, instances.json, beside the frames."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from segmentation.formats.annotated_video import AnnotatedVideo, categories
from webapp.annotation.export.frames import write_frames
from webapp.annotation.export.subject import Counter, Subject, Tick, annotated, by_split

# Takes the videos, a function to call after each frame and the ids of the categories by name, and returns the content
# of the JSON file.
DataOf = Callable[[list[AnnotatedVideo], Callable[[], None], dict[str, int]], dict[str, Any]]


def write_instances(subjects: Sequence[Subject], path: Path, tick: Tick, data_of: DataOf) -> None:
    """Write a zip with instances.json and JPEGImages. `tick` gets the number of frames whose masks are encoded.

    If the export has splits, each has a file of its own, such as instances_train.json, with the same categories.
    """
    videos, count = [annotated(subject) for subject in subjects], Counter(tick)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        numbers = categories(videos)
        for split, inside in by_split(subjects, videos).items():
            text = json.dumps(data_of(inside, count, numbers), separators=(",", ":"))
            archive.writestr(f"instances{split and '_'}{split}.json", text, zipfile.ZIP_DEFLATED)
        for subject, video in zip(subjects, videos, strict=True):
            write_frames(archive, subject, video, count.again)
