"""The export format COCO instances: frames, and a JSON file with one annotation for each object in each frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.coco_instances import coco_pieces
from webapp.annotation.export.format import Format
from webapp.annotation.export.instances import write_instances
from webapp.annotation.export.subject import Subject, Tick


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    write_instances(subjects, path, tick, coco_pieces)


HOW_TO = """\
# COCO instances

`instances.json` is a COCO file: one annotation, with compressed run lengths, for each object in each frame.
`track_id` is the object's id in its video; `video` and `frame_index` of an image say which frame it is.

An export with splits has a file for each, such as `instances_train.json`.

```python
import numpy as np
from pycocotools.coco import COCO

coco = COCO("instances.json")
masks = {}
for image in coco.loadImgs(coco.getImgIds()):
    mask = np.zeros((image["height"], image["width"]), np.uint8)
    for annotation in coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]])):
        mask[coco.annToMask(annotation) > 0] = annotation["track_id"]
    masks[image["file_name"].split("/")[-1].removesuffix(".jpg")] = mask
```
"""

FORMAT = Format(
    name="coco",
    title="COCO instances",
    note="A zip with JPEGImages and instances.json: run lengths for each object in each frame; track_id is the object.",
    suffix="zip",
    media_type="application/zip",
    write=write,
    how_to=HOW_TO,
)
