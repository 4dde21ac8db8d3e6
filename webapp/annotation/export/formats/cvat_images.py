"""The export format CVAT for images: frames, and an XML file with the masks of each frame."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.cvat_images import cvat_images_xml
from webapp.annotation.export.format import Format
from webapp.annotation.export.frames import write_frames
from webapp.annotation.export.pieces import write_pieces
from webapp.annotation.export.subject import Counter, Subject, Tick, annotated


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write a zip with annotations.xml and the frames as images/<video>/<frame>.jpg."""
    videos, count = [annotated(subject) for subject in subjects], Counter(tick)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        write_pieces(archive, "annotations.xml", cvat_images_xml(videos, count))
        for subject, video in zip(subjects, videos, strict=True):
            write_frames(archive, subject, video, count.again, "images")


HOW_TO = """\
# CVAT for images

`annotations.xml` has the masks of each frame (CVAT for images 1.1); `group_id` is the id of the object. Run
lengths go row by row through the box of the mask and begin with background. In CVAT: make a task of the folder
`images`, then Upload annotations, CVAT 1.1.

```python
from pathlib import PurePosixPath
from xml.etree import ElementTree

import numpy as np

masks = {}
for image in ElementTree.parse("annotations.xml").getroot().findall("image"):
    mask = np.zeros((int(image.get("height")), int(image.get("width"))), np.uint8)
    for each in image.findall("mask"):
        x, y, width, height = (int(each.get(name)) for name in ("left", "top", "width", "height"))
        runs = [int(run) for run in each.get("rle").split(",")]
        inside = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)
        mask[y : y + height, x : x + width][inside] = int(each.get("group_id"))
    masks[PurePosixPath(image.get("name")).stem] = mask
```
"""

FORMAT = Format(
    name="cvat-images",
    title="CVAT for images",
    note="A zip with images and annotations.xml (CVAT for images 1.1): masks of each frame; group_id is the object.",
    suffix="zip",
    media_type="application/zip",
    write=write,
    how_to=HOW_TO,
)
