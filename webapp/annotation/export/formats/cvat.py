"""The export format CVAT for video: an XML file with a track of masks for each object."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.cvat_video import cvat_pieces
from webapp.annotation.export.format import Format
from webapp.annotation.export.pieces import write_pieces
from webapp.annotation.export.subject import Counter, Subject, Tick, annotated


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write a zip with annotations.xml. If there are several videos, each has a folder with an annotations.xml."""
    count = Counter(tick)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for subject in subjects:
            root = "" if len(subjects) == 1 else f"{subject.folder}/"
            write_pieces(archive, f"{root}annotations.xml", cvat_pieces(annotated(subject), count))


HOW_TO = """\
# CVAT for video

`annotations.xml` has a track of masks for each object (CVAT for video 1.1). Run lengths go row by row through
the box of the mask and begin with background. In CVAT: Upload annotations, then CVAT 1.1.

```python
from xml.etree import ElementTree

import numpy as np

root = ElementTree.parse("annotations.xml").getroot()
size = root.find("meta/task/original_size")
shape = int(size.find("height").text), int(size.find("width").text)
masks = {}
for track in root.findall("track"):
    for each in track.findall("mask"):
        mask = masks.setdefault(f"{int(each.get('frame')):05}", np.zeros(shape, np.uint8))
        if each.get("outside") == "1":
            continue
        x, y, width, height = (int(each.get(name)) for name in ("left", "top", "width", "height"))
        runs = [int(run) for run in each.get("rle").split(",")]
        inside = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)
        mask[y : y + height, x : x + width][inside] = int(track.get("id"))
```
"""

FORMAT = Format(
    name="cvat",
    title="CVAT for video",
    note="A zip with annotations.xml (CVAT for video 1.1): a track of masks for each object.",
    suffix="zip",
    media_type="application/zip",
    write=write,
    how_to=HOW_TO,
)
