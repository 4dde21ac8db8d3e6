"""The DAVIS layout: frames, and masks as indexed PNG files. It can be imported again."""

from __future__ import annotations

import zipfile
from pathlib import Path

from segmentation.formats.davis_folder import DavisPaths
from segmentation.formats.label_png import encode_labels
from webapp.annotation.export.files import folder_name
from webapp.annotation.export.format import Format
from webapp.annotation.export.subject import Subject, Tick, object_table
from webapp.videos.storage import StoredFrames


def write(subject: Subject, path: Path, tick: Tick) -> None:
    """Write a zip with the folders JPEGImages and Annotations, and a table of the objects."""
    paths = DavisPaths(folder_name(subject.video.name), subject.video.height)
    frames = StoredFrames(subject.video).paths
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # JPEG and PNG do not shrink further
        for index, labels in subject.frames():
            archive.write(frames[index], paths.frame(index))
            if labels is not None:
                archive.writestr(paths.mask(index), encode_labels(labels))
            tick(index + 1)
        archive.writestr("objects.json", object_table(subject))


FORMAT = Format(
    name="davis",
    title="DAVIS",
    note="A zip with JPEGImages and Annotations: one indexed PNG a frame, all objects in it. It can be imported again.",
    suffix="zip",
    media_type="application/zip",
    write=write,
)
