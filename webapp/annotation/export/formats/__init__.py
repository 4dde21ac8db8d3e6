"""The export formats, in the order in which the page offers them. To add one, write its file and name it in MODULES."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

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
    "cvat_images",
    "datumaro",
    "labelme",
    "label_studio",
    "voc",
    "cityscapes",
    "geojson",
    "svg",
    "npz",
    "mattes_8",
    "mattes_16",
    "matte_exr",
    "matte_mp4",
    "prores",
    "png_mov",
    "webm",
)


def load_formats() -> dict[str, Format]:
    """Return every format by its name, but for those whose Python package is missing. Each module defines `FORMAT`."""
    formats: list[Format] = [import_module(f"{__name__}.{module}").FORMAT for module in MODULES]
    return {known.name: known for known in formats if not known.needs or find_spec(known.needs)}


FORMATS = load_formats()
