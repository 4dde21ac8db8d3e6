"""Adds the files that describe an export to its zip: the manifest, lists of splits, hashes, and how to read it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.utils import timezone

from webapp.annotation.accepted import accepted_frames
from webapp.annotation.accepted_objects import accepted_objects, frames_by_object
from webapp.annotation.export.subject import Subject
from webapp.annotation.masks import ranges
from webapp.annotation.models import Export, Round

SUMS = "SHA256SUMS"
CHUNK = 1 << 20


def add_manifest(path: Path, export: Export, subjects: Sequence[Subject]) -> None:
    """Add manifest.json, which says what was exported, when and by whom, to the zip at `path`."""
    rounds = Round.objects.only("number", "engine", "weights").in_bulk([subject.round_id for subject in subjects])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        data = {
            "program": f"Maskwright {version('maskwright')}",
            "format": export.format,
            "exported_at": timezone.now().isoformat(),
            "exported_by": export.author.username,
            "options": export.options,
            "videos": [_video(subject, rounds[subject.round_id]) for subject in subjects],
        }
        archive.writestr("manifest.json", json.dumps(data, indent=1))


def add_lists(path: Path, subjects: Sequence[Subject]) -> None:
    """Add the list of videos of each split, ImageSets/<split>.txt, to the zip at `path`, if there are splits."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for split in sorted({subject.split for subject in subjects} - {""}):
            inside = [subject.folder for subject in subjects if subject.split == split]
            archive.writestr(f"ImageSets/{split}.txt", "".join(f"{folder}\n" for folder in inside))


def add_checksums(path: Path, tick: Callable[[], None]) -> None:
    """Add SHA256SUMS to the zip at `path`: the hash of every other file, as `sha256sum --check` reads it.

    `tick` is called after each file.
    """
    lines = []
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        for name in archive.namelist():
            found = sha256()
            with archive.open(name) as file:
                while data := file.read(CHUNK):
                    found.update(data)
            lines.append(f"{found.hexdigest()}  {name}\n")
            tick()
        archive.writestr(SUMS, "".join(lines))


def add_how_to(path: Path, how_to: str) -> None:
    """Add README.md, which says how to read the export, to the zip at `path`."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.md", how_to)


def _video(subject: Subject, round_: Round) -> dict[str, Any]:
    video = subject.video
    singly = frames_by_object(accepted_objects(video.pk, round_.pk))
    return {
        "id": video.pk,
        "name": video.name,
        "folder": subject.folder,
        "split": subject.split or None,
        "width": subject.width,
        "height": subject.height,
        "frames": video.frame_count,
        "exported_frames": [list(span) for span in ranges(subject.indexes)],
        "round": {"id": round_.pk, "number": round_.number, "engine": round_.engine, "weights": round_.weights},
        "accepted_frames": sorted(accepted_frames(video.pk)),
        "accepted_objects": {number: ranges(sorted(frames)) for number, frames in sorted(singly.items())},
    }
