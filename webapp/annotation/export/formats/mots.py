"""The export format MOTS, in its two forms (MOTS and KITTI-MOTS): PNG files of 16 bits, and lines of text."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from segmentation.formats import mots
from segmentation.formats.class_numbers import class_lines
from segmentation.formats.mots import encode_mots_png, mots_lines
from webapp.annotation.export.classes import numbers_of_classes
from webapp.annotation.export.format import Format
from webapp.annotation.export.subject import Subject, Tick, annotated


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write a zip with the folders instances and instances_txt, and classes.txt with the names of the classes."""
    videos = [annotated(subject, usual="number", digits=6) for subject in subjects]
    numbers = numbers_of_classes(videos, mots.CLASSES, mots.FIRST_OWN_CLASS, mots.MOST_CLASSES)
    done = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for video in videos:
            lines: list[str] = []
            for frame, name, labels in zip(video.numbers, video.frames, video.masks(), strict=True):
                if labels is not None:
                    file = f"instances/{video.name}/{name}.png"
                    archive.writestr(file, encode_mots_png(labels, video, numbers))
                    lines += mots_lines(frame, labels, video, numbers)
                done += 1
                tick(done)
            text = "".join(f"{line}\n" for line in lines)
            archive.writestr(f"instances_txt/{video.name}.txt", text, zipfile.ZIP_DEFLATED)
        archive.writestr("classes.txt", class_lines(numbers))


HOW_TO = """\
# MOTS

`instances/<video>/<frame>.png` has 16 bits: a pixel is class * 1000 + object; 0 is background.
`instances_txt/<video>.txt` has the same as lines `frame id class height width run-lengths`. `classes.txt`
names the classes; car is 1 and pedestrian 2, as in KITTI-MOTS.

```python
from pathlib import Path

import numpy as np
from PIL import Image

masks = {}
for path in sorted(Path("instances").glob("*/*.png")):
    values = np.array(Image.open(path))
    masks[path.stem] = (values % 1000).astype(np.uint8)
```
"""

FORMAT = Format(
    name="mots",
    title="MOTS",
    note="A zip with masks as PNG of 16 bits (class * 1000 + object) and as text, as MOTS and KITTI-MOTS have them.",
    suffix="zip",
    media_type="application/zip",
    write=write,
    how_to=HOW_TO,
)
