"""manifest.json of an export: which videos, at which rounds, when, by whom, and with which version of Maskwright."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.utils import timezone

from webapp.annotation.export.subject import Subject
from webapp.annotation.models import AcceptedFrame, Export, Round


def add_manifest(path: Path, export: Export, subjects: Sequence[Subject]) -> None:
    """Add manifest.json to the zip at `path`."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        data = {
            "program": f"Maskwright {version('maskwright')}",
            "format": export.format,
            "exported_at": timezone.now().isoformat(),
            "exported_by": export.author.username,
            "videos": [_video(subject) for subject in subjects],
        }
        archive.writestr("manifest.json", json.dumps(data, indent=1))


def _video(subject: Subject) -> dict[str, Any]:
    video = subject.video
    round_ = Round.objects.get(pk=subject.round_id)
    accepted = AcceptedFrame.objects.filter(video=video).order_by("frame").values_list("frame", flat=True)
    return {
        "id": video.pk,
        "name": video.name,
        "folder": subject.folder,
        "width": video.width,
        "height": video.height,
        "frames": video.frame_count,
        "round": {"id": round_.pk, "number": round_.number, "engine": round_.engine, "weights": round_.weights},
        "accepted_frames": list(dict.fromkeys(accepted)),
    }
