"""The export format YouTube-VOS: frames, indexed PNG masks, and meta.json with the category of each object."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.label_png import encode_labels
from webapp.annotation.export.format import Format
from webapp.annotation.export.subject import Subject, Tick, annotated
from webapp.videos.storage import StoredFrames


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write a zip with JPEGImages, Annotations and meta.json, which lists the frames in which each object is seen."""
    meta = {}
    done = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for subject in subjects:
            video = annotated(subject)
            seen: dict[int, list[str]] = {each.id: [] for each in video.objects}
            files = StoredFrames(subject.video).paths
            for file, name, labels in zip(files, video.frames, video.masks(), strict=True):
                archive.write(file, f"JPEGImages/{video.name}/{name}.jpg")
                if labels is not None:
                    archive.writestr(f"Annotations/{video.name}/{name}.png", encode_labels(labels))
                    for number in seen:
                        if (labels == number).any():
                            seen[number].append(name)
                done += 1
                tick(done)
            objects = {str(each.id): {"category": each.category, "frames": seen[each.id]} for each in video.objects}
            meta[video.name] = {"objects": objects}
        archive.writestr("meta.json", json.dumps({"videos": meta}, indent=1))


FORMAT = Format(
    name="youtube-vos",
    title="YouTube-VOS",
    note="A zip with JPEGImages, Annotations and meta.json, which has the category of each object. Can be imported.",
    suffix="zip",
    media_type="application/zip",
    write=write,
)
