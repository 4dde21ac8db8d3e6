"""The export format YouTube-VIS: frames, and a JSON file with one annotation for each object of a video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.youtube_vis import youtube_vis_data
from webapp.annotation.export.format import Format
from webapp.annotation.export.instances import write_instances
from webapp.annotation.export.subject import Subject, Tick


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    write_instances(subjects, path, tick, youtube_vis_data)


FORMAT = Format(
    name="youtube-vis",
    title="YouTube-VIS",
    note="A zip with JPEGImages and instances.json: run lengths (COCO RLE) for each object, as YouTube-VIS has them.",
    suffix="zip",
    media_type="application/zip",
    write=write,
)
