"""The export format DAVIS: frames, and masks as indexed PNG files. An export can be imported again."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.davis_folder import DavisPaths
from segmentation.formats.label_png import encode_labels
from webapp.annotation.export.format import Format
from webapp.annotation.export.subject import Subject, Tick, object_table
from webapp.videos.storage import StoredFrames


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write a zip with the folders JPEGImages, Annotations and ImageSets, and the objects of each video as JSON."""
    done = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # JPEG and PNG do not shrink further
        for subject in subjects:
            paths = DavisPaths(subject.folder, subject.video.height)
            frames = StoredFrames(subject.video).paths
            for index, labels in subject.frames():
                archive.write(frames[index], paths.frame(index))
                if labels is not None:
                    archive.writestr(paths.mask(index), encode_labels(labels))
                done += 1
                tick(done)
            table = "objects.json" if len(subjects) == 1 else f"Objects/{subject.folder}.json"
            archive.writestr(table, object_table(subject))
        archive.writestr("ImageSets/2017/val.txt", "".join(f"{subject.folder}\n" for subject in subjects))


FORMAT = Format(
    name="davis",
    title="DAVIS",
    note="A zip with JPEGImages and Annotations: one indexed PNG a frame, all objects in it. It can be imported again.",
    suffix="zip",
    media_type="application/zip",
    write=write,
)
