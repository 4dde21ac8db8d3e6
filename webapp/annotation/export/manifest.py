"""README.md and manifest.json of an export: how to read it; which videos, at which rounds, when and by whom."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.utils import timezone

from webapp.annotation.export.subject import Subject
from webapp.annotation.masks import ranges
from webapp.annotation.models import AcceptedFrame, Export, Round


def add_manifest(path: Path, export: Export, subjects: Sequence[Subject]) -> None:
    """Add manifest.json to the zip at `path`."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        data = {
            "program": f"Maskwright {version('maskwright')}",
            "format": export.format,
            "exported_at": timezone.now().isoformat(),
            "exported_by": export.author.username,
            "options": export.options,
            "videos": [_video(subject) for subject in subjects],
        }
        archive.writestr("manifest.json", json.dumps(data, indent=1))


def add_how_to(path: Path, how_to: str) -> None:
    """Add README.md, which says how to read the export, to the zip at `path`."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.md", how_to)


def _video(subject: Subject) -> dict[str, Any]:
    video = subject.video
    round_ = Round.objects.get(pk=subject.round_id)
    accepted = AcceptedFrame.objects.filter(video=video).order_by("frame").values_list("frame", flat=True)
    return {
        "id": video.pk,
        "name": video.name,
        "folder": subject.folder,
        "width": subject.width,
        "height": subject.height,
        "frames": video.frame_count,
        "exported_frames": [list(span) for span in ranges(subject.indexes)],
        "round": {"id": round_.pk, "number": round_.number, "engine": round_.engine, "weights": round_.weights},
        "accepted_frames": list(dict.fromkeys(accepted)),
    }
