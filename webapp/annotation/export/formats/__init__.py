"""The export formats, in the order in which the page offers them. To add one, write its file here and name it below."""

from __future__ import annotations

from importlib import import_module

from webapp.annotation.export.format import Format

MODULES = (
    "davis",
    "objects",
    "overlay",
)


def load_formats() -> dict[str, Format]:
    """Every format by its name. Each module has a `FORMAT`."""
    formats: list[Format] = [import_module(f"{__name__}.{module}").FORMAT for module in MODULES]
    return {known.name: known for known in formats}


FORMATS = load_formats()
