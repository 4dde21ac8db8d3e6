"""The export format YouTube-VIS: frames, and a JSON file with one annotation for each object of a video."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.youtube_vis import youtube_vis_pieces
from webapp.annotation.export.format import Format
from webapp.annotation.export.instances import write_instances
from webapp.annotation.export.subject import Subject, Tick


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    write_instances(subjects, path, tick, youtube_vis_pieces)


HOW_TO = """\
# YouTube-VIS

`instances.json` has one annotation for each object of a video, with run lengths for each frame; null where
the frame does not show the object. `instance_id` is the object's id.

An export with splits has a file for each, such as `instances_train.json`.

```python
import json

import numpy as np
from pycocotools import mask as rle

with open("instances.json") as file:
    data = json.load(file)
video = data["videos"][0]
masks = {}
for at, name in enumerate(video["file_names"]):
    mask = np.zeros((video["height"], video["width"]), np.uint8)
    for annotation in data["annotations"]:
        if annotation["video_id"] == video["id"] and annotation["segmentations"][at]:
            mask[rle.decode(annotation["segmentations"][at]) > 0] = annotation["instance_id"]
    masks[name.split("/")[-1].removesuffix(".jpg")] = mask
```
"""

FORMAT = Format(
    name="youtube-vis",
    title="YouTube-VIS",
    note="A zip with JPEGImages and instances.json: run lengths (COCO RLE) for each object, as YouTube-VIS has them.",
    suffix="zip",
    media_type="application/zip",
    write=write,
    how_to=HOW_TO,
)
