"""The export format Cityscapes: frames, and masks as PNG files of instance ids and of class ids."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.cityscapes import CLASSES, FIRST_OWN_CLASS, encode_label_ids, file_name
from segmentation.formats.class_numbers import class_lines
from segmentation.formats.mots import MOST_CLASSES, encode_mots_png
from webapp.annotation.export.classes import numbers_of_classes
from webapp.annotation.export.format import Format
from webapp.annotation.export.subject import Subject, Tick, annotated

SPLIT = "train"  # the folder of all videos if the export has no splits


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write a zip with leftImg8bit and gtFine, in which each video is a city, and classes.txt."""
    videos = [annotated(subject) for subject in subjects]
    numbers = numbers_of_classes(videos, CLASSES, FIRST_OWN_CLASS, MOST_CLASSES)
    done = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for subject, video in zip(subjects, videos, strict=True):
            city = f"{subject.split or SPLIT}/{video.name}"
            for index, labels in subject.frames():
                picture = file_name(video.name, index, "leftImg8bit")
                subject.write_frame(archive, index, f"leftImg8bit/{city}/{picture}.jpg")
                if labels is not None:
                    ids, classes = (file_name(video.name, index, f"gtFine_{kind}") for kind in KINDS)
                    archive.writestr(f"gtFine/{city}/{ids}.png", encode_mots_png(labels, video, numbers))
                    archive.writestr(f"gtFine/{city}/{classes}.png", encode_label_ids(labels, video, numbers))
                done += 1
                tick(done)
        archive.writestr("classes.txt", class_lines(numbers))


KINDS = ("instanceIds", "labelIds")


HOW_TO = """\
# Cityscapes

`gtFine/train/<video>/<video>_000000_<frame>_gtFine_instanceIds.png` has 16 bits: a pixel is class * 1000 + object;
0 is background. `labelIds` has the classes alone. Frames are JPEG files under `leftImg8bit`. `classes.txt` names the
classes; those that Cityscapes has keep their numbers, others begin at 34.

```python
from pathlib import Path

import numpy as np
from PIL import Image

masks = {}
for path in sorted(Path("gtFine").glob("*/*/*_instanceIds.png")):
    frame = path.name.split("_")[-3]
    masks[frame] = (np.array(Image.open(path)) % 1000).astype(np.uint8)
```
"""

FORMAT = Format(
    name="cityscapes",
    title="Cityscapes",
    note="A zip with leftImg8bit and gtFine: instanceIds (class * 1000 + object, 16 bits) and labelIds.",
    suffix="zip",
    media_type="application/zip",
    write=write,
    how_to=HOW_TO,
)
