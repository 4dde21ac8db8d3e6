"""The export format SVG: the outlines of the objects, a file for each frame."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.outline_files import svg_bytes
from webapp.annotation.export.format import Format
from webapp.annotation.export.subject import Subject, Tick, annotated


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write a zip with <video>/<frame>.svg for each frame that has a mask."""
    done = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for subject in subjects:
            video = annotated(subject)
            for (_, labels), name in zip(subject.frames(), video.frames, strict=True):
                if labels is not None:
                    archive.writestr(f"{video.name}/{name}.svg", svg_bytes(video, labels))
                done += 1
                tick(done)


HOW_TO = """\
# Outlines as SVG

`<video>/<frame>.svg` has a path for each object, called `object-<id>`, in its colour. Outlines run along the borders
of pixels, so they hold the masks exactly.

```python
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

masks = {}
for path in sorted(Path().glob("*/*.svg")):
    root = ElementTree.parse(path).getroot()
    mask = np.zeros((int(root.get("height")), int(root.get("width"))), np.uint8)
    for each in root.findall("{http://www.w3.org/2000/svg}path"):
        inside = np.zeros(mask.shape, bool)
        for outline in re.findall(r"M(\\d+) (\\d+)([^Z]*)Z", each.get("d")):
            x, y = first = int(outline[0]), int(outline[1])
            for way, value in [*re.findall(r"([HV])(\\d+)", outline[2]), ("V", first[1])]:
                if way == "H":
                    x = int(value)
                else:
                    inside[min(y, int(value)) : max(y, int(value)), x:] ^= True
                    y = int(value)
        mask[inside] = int(each.get("id").removeprefix("object-"))
    masks[path.stem] = mask
```
"""

FORMAT = Format(
    name="svg",
    title="Outlines, SVG",
    note="A zip with an SVG file for each frame: a path for each object in its colour, exact to the pixel.",
    suffix="zip",
    media_type="application/zip",
    write=write,
    how_to=HOW_TO,
)
