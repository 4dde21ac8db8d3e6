"""The export format CVAT for video: an XML file with a track of masks for each object."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.cvat_video import cvat_xml
from webapp.annotation.export.format import Format
from webapp.annotation.export.subject import Subject, Tick, annotated


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write a zip with annotations.xml. If there are several videos, each has a folder with an annotations.xml."""
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        tick(done)

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for subject in subjects:
            root = "" if len(subjects) == 1 else f"{subject.folder}/"
            archive.writestr(f"{root}annotations.xml", cvat_xml(annotated(subject), count))


FORMAT = Format(
    name="cvat",
    title="CVAT for video",
    note="A zip with annotations.xml (CVAT for video 1.1): a track of masks for each object.",
    suffix="zip",
    media_type="application/zip",
    write=write,
)
