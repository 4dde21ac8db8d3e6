"""The export format COCO instances: frames, and a JSON file with one annotation for each object in each frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.coco_instances import coco_data
from webapp.annotation.export.format import Format
from webapp.annotation.export.instances import write_instances
from webapp.annotation.export.subject import Subject, Tick


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    write_instances(subjects, path, tick, coco_data)


FORMAT = Format(
    name="coco",
    title="COCO instances",
    note="A zip with JPEGImages and instances.json: run lengths for each object in each frame; track_id is the object.",
    suffix="zip",
    media_type="application/zip",
    write=write,
)
