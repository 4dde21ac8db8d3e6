"""The export format PASCAL VOC: frames, masks of objects and masks of classes."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.label_png import encode_labels
from segmentation.formats.pascal_voc import CLASSES, LABELMAP, MOST_CLASSES, class_map, labelmap_text
from webapp.annotation.export.classes import numbers_of_classes
from webapp.annotation.export.format import Format
from webapp.annotation.export.subject import Subject, Tick, annotated, object_table

LIST = "ImageSets/Segmentation"


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write a zip with JPEGImages, SegmentationObject, SegmentationClass, ImageSets and labelmap.txt.

    If there are several videos, each has a folder with all of these.
    """
    videos = [annotated(subject) for subject in subjects]
    numbers = numbers_of_classes(videos, CLASSES, len(CLASSES) + 1, MOST_CLASSES)
    done = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for subject, video in zip(subjects, videos, strict=True):
            root, masked = "" if len(subjects) == 1 else f"{subject.folder}/", []
            for (index, labels), name in zip(subject.frames(), video.frames, strict=True):
                subject.write_frame(archive, index, f"{root}JPEGImages/{name}.jpg")
                if labels is not None:
                    masked.append(f"{name}\n")
                    classes = class_map(labels, video, numbers)
                    archive.writestr(f"{root}SegmentationObject/{name}.png", encode_labels(labels, compress_level=1))
                    archive.writestr(f"{root}SegmentationClass/{name}.png", encode_labels(classes, compress_level=1))
                done += 1
                tick(done)
            archive.writestr(f"{root}{LIST}/{subject.split or 'trainval'}.txt", "".join(masked))
            archive.writestr(f"{root}{LABELMAP}", labelmap_text(numbers))
            archive.writestr(f"{root}objects.json", object_table(subject))


HOW_TO = """\
# PASCAL VOC

`SegmentationObject/<frame>.png` has the ids of the objects of `JPEGImages/<frame>.jpg`, which here are the same
in all frames of a video; `SegmentationClass/<frame>.png` has their classes. Both are indexed PNG; 0 is background.
`labelmap.txt` has the colour of each class. Several videos have a folder each.

```python
from pathlib import Path

import numpy as np
from PIL import Image

masks = {path.stem: np.array(Image.open(path)) for path in sorted(Path().glob("**/SegmentationObject/*.png"))}
classes = {path.stem: np.array(Image.open(path)) for path in sorted(Path().glob("**/SegmentationClass/*.png"))}
```
"""

FORMAT = Format(
    name="voc",
    title="PASCAL VOC",
    note="A zip with JPEGImages, SegmentationObject and SegmentationClass as indexed PNG, and labelmap.txt.",
    suffix="zip",
    media_type="application/zip",
    write=write,
    how_to=HOW_TO,
)
