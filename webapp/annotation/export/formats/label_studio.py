"""The export format Label Studio: frames, and a JSON file with brush labels."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.label_studio import label_studio_tasks
from webapp.annotation.export.format import Format
from webapp.annotation.export.frames import write_frames
from webapp.annotation.export.pieces import json_rows, write_pieces
from webapp.annotation.export.subject import Counter, Subject, Tick, annotated


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write a zip with tasks.json and the frames as images/<video>/<frame>.jpg."""
    videos, count = [annotated(subject) for subject in subjects], Counter(tick)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        write_pieces(archive, "tasks.json", json_rows("[", label_studio_tasks(videos, count), "]"))
        for subject, video in zip(subjects, videos, strict=True):
            write_frames(archive, subject, video, count.again, "images")


HOW_TO = """\
# Label Studio

`tasks.json` has a task for each frame that has a mask, with brush labels; `object_id` is the id of the object.
Serve the folder `images` to Label Studio as local files, and import `tasks.json` into a project with
`<BrushLabels name="tag" toName="image">` and `<Image name="image" value="$image"/>`.

```python
import json
from urllib.parse import unquote

import numpy as np


def decode(data, height, width):
    # The run lengths of a brush are pieces of bits, each a repeated value or some values.
    bits, at = "".join(f"{byte:08b}" for byte in data), 0

    def take(count):
        nonlocal at
        at += count
        return int(bits[at - count : at], 2)

    values, total, size = [], take(32), take(5) + 1
    lengths = [take(4) + 1 for _ in range(4)]
    while len(values) < total:
        repeated, length = take(1), take(lengths[take(2)]) + 1
        values += [take(size)] * length if repeated else [take(size) for _ in range(length)]
    return np.array(values, np.uint8).reshape(height, width, 4)[..., 3] > 0


masks = {}
with open("tasks.json") as file:
    tasks = json.load(file)
for task in tasks:
    for result in task["annotations"][0]["result"]:
        height, width = result["original_height"], result["original_width"]
        name = unquote(task["data"]["image"]).split("/")[-1].removesuffix(".jpg")
        mask = masks.setdefault(name, np.zeros((height, width), np.uint8))
        mask[decode(result["value"]["rle"], height, width)] = result["meta"]["object_id"]
```
"""

FORMAT = Format(
    name="label-studio",
    title="Label Studio",
    note="A zip with images and tasks.json: brush labels (run lengths) for each object in each frame.",
    suffix="zip",
    media_type="application/zip",
    write=write,
    how_to=HOW_TO,
)
