"""What the rest of the program knows of an export format. Each format is a file in `formats/`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from webapp.annotation.export.subject import Subject, Tick


@dataclass(frozen=True)
class Format:
    """`write(subject, path, tick)` writes the whole file to `path` and calls `tick` after each frame."""

    name: str  # in the API and in the database
    title: str  # on the page
    note: str  # a sentence or two that say what the file holds
    suffix: str  # of the file's name, without the dot
    media_type: str
    write: Callable[[Subject, Path, Tick], None]
