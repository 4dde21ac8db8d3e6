"""The export format COCO instances: frames, and a JSON file with one annotation for each object in each frame."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.coco_instances import coco_data
from webapp.annotation.export.format import Format
from webapp.annotation.export.frames import write_frames
from webapp.annotation.export.subject import Subject, Tick, annotated


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write a zip with instances.json and JPEGImages. `tick` gets the number of frames whose masks are encoded."""
    videos = [annotated(subject) for subject in subjects]
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        tick(done)

    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        text = json.dumps(coco_data(videos, count), separators=(",", ":"))
        archive.writestr("instances.json", text, zipfile.ZIP_DEFLATED)
        for subject, video in zip(subjects, videos, strict=True):
            write_frames(archive, subject, video, lambda: tick(done))


FORMAT = Format(
    name="coco",
    title="COCO instances",
    note="A zip with JPEGImages and instances.json: run lengths for each object in each frame; track_id is the object.",
    suffix="zip",
    media_type="application/zip",
    write=write,
)
