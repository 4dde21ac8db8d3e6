"""The type of an export format. Each file in `formats/` defines one format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from webapp.annotation.export.subject import Subject, Tick

# What of the options means something for some formats only: the look of an overlay, the edges of soft mattes, and
# whether the colours of a video are multiplied by its alpha.
Takes = Literal["look", "matte", "premultiplied"]


@dataclass(frozen=True)
class Format:
    """An export format: how it is named, and the function that writes it.

    `write(subjects, path, tick)` writes the whole file to `path` and calls `tick` with the number of frames done after
    each frame. `of_project` is false for formats whose file can hold one video only.
    """

    name: str  # Used in the API and in the database.
    title: str  # Shown on the page.
    note: str  # One or two sentences that say what the file holds.
    suffix: str  # The suffix of the export file's name, without the dot.
    media_type: str
    write: Callable[[Sequence[Subject], Path, Tick], None]
    of_project: bool = True
    takes: tuple[Takes, ...] = ()
    needs: str = ""  # A Python package without which the format is not offered.
    how_to: str = ""  # For a zip: the text of its README.md, with a snippet of Python that reads the masks.
