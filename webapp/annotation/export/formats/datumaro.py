"""The export format Datumaro: frames, and a JSON file with the masks of each frame."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.annotated_video import categories
from segmentation.formats.datumaro import datumaro_head, datumaro_items
from webapp.annotation.export.format import Format
from webapp.annotation.export.frames import write_frames
from webapp.annotation.export.pieces import json_rows, write_pieces
from webapp.annotation.export.subject import Counter, Subject, Tick, annotated, by_split


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write a zip with annotations/default.json and the frames as images/default/<video>/<frame>.jpg.

    If the export has splits, each is a subset of Datumaro: its name is in the place of default.
    """
    videos, count = [annotated(subject) for subject in subjects], Counter(tick)
    names = list(categories(videos))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for split, inside in by_split(subjects, videos).items():
            head = json.dumps(datumaro_head(names), separators=(",", ":")).removesuffix("}")
            pieces = json_rows(f'{head},"items":[', datumaro_items(inside, names, count), "]}")
            write_pieces(archive, f"annotations/{split or 'default'}.json", pieces)
        for subject, video in zip(subjects, videos, strict=True):
            write_frames(archive, subject, video, count.again, f"images/{subject.split or 'default'}")


HOW_TO = """\
# Datumaro

`annotations/default.json` has an item for each frame that has a mask, with compressed run lengths (COCO RLE) for
each object; `track_id` is the id of the object. The package datumaro reads the folder as the format `datumaro`.

```python
import json

import numpy as np
from pycocotools import mask as rle

with open("annotations/default.json") as file:
    data = json.load(file)
masks = {}
for item in data["items"]:
    mask = np.zeros(item["image"]["size"], np.uint8)
    for annotation in item["annotations"]:
        mask[rle.decode(annotation["rle"]) > 0] = annotation["attributes"]["track_id"]
    masks[item["id"].split("/")[-1]] = mask
```
"""

FORMAT = Format(
    name="datumaro",
    title="Datumaro",
    note="A zip with images and annotations/default.json: run lengths for each object in each frame.",
    suffix="zip",
    media_type="application/zip",
    write=write,
    how_to=HOW_TO,
)
