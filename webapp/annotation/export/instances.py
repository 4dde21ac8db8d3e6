"""Writes the zip of the formats that have the annotations of all frames in one JSON file beside the frames."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from segmentation.formats.annotated_video import AnnotatedVideo, categories
from webapp.annotation.export.frames import write_frames
from webapp.annotation.export.pieces import write_pieces
from webapp.annotation.export.subject import Counter, Subject, Tick, annotated, by_split

# Takes the videos, a function to call after each frame and the ids of the categories by name, and yields the bytes of
# the JSON file piece by piece.
PiecesOf = Callable[[list[AnnotatedVideo], Callable[[], None], dict[str, int]], Iterable[bytes]]


def write_instances(subjects: Sequence[Subject], path: Path, tick: Tick, pieces_of: PiecesOf) -> None:
    """Write a zip with instances.json and JPEGImages. `tick` is called with the number of frames encoded so far.

    If the export has splits, each has a file of its own, such as instances_train.json, with the same categories.
    """
    videos, count = [annotated(subject) for subject in subjects], Counter(tick)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        numbers = categories(videos)
        for split, inside in by_split(subjects, videos).items():
            write_pieces(archive, f"instances{split and '_'}{split}.json", pieces_of(inside, count, numbers))
        for subject, video in zip(subjects, videos, strict=True):
            write_frames(archive, subject, video, count.again)
