"""The export formats, in the order in which the page offers them. To add one, write its file and name it in MODULES."""

from __future__ import annotations

from importlib import import_module

from webapp.annotation.export.format import Format

MODULES = (
    "davis",
    "objects",
    "overlay",
    "youtube_vis",
    "youtube_vos",
    "coco",
    "mots",
    "cvat",
    "npz",
    "mattes_8",
    "mattes_16",
    "prores",
    "webm",
)


def load_formats() -> dict[str, Format]:
    """Return every format by its name. Each module defines `FORMAT`."""
    formats: list[Format] = [import_module(f"{__name__}.{module}").FORMAT for module in MODULES]
    return {known.name: known for known in formats}


FORMATS = load_formats()
