"""Which function writes which kind of export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from webapp.annotation.export.formats.davis import write_davis
from webapp.annotation.export.formats.objects import write_objects
from webapp.annotation.export.formats.overlay import write_overlay
from webapp.annotation.export.subject import Subject, Tick
from webapp.annotation.models import ExportKind

WRITERS: dict[str, Callable[[Subject, Path, Tick], None]] = {
    ExportKind.DAVIS: write_davis,
    ExportKind.OBJECTS: write_objects,
    ExportKind.OVERLAY: write_overlay,
}
