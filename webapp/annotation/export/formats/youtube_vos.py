"""The export format YouTube-VOS: frames, indexed PNG masks, and meta.json with the category of each object."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.label_png import encode_labels
from webapp.annotation.export.format import Format
from webapp.annotation.export.subject import Subject, Tick, annotated


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write a zip with JPEGImages, Annotations and meta.json, which lists the frames in which each object is seen.

    If the export has splits, each has a folder with all of these.
    """
    meta: dict[str, dict[str, object]] = {}
    done = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for subject in subjects:
            video, root = annotated(subject), f"{subject.split}/" if subject.split else ""
            seen: dict[int, list[str]] = {each.id: [] for each in video.objects}
            for (index, labels), name in zip(subject.frames(), video.frames, strict=True):
                subject.write_frame(archive, index, f"{root}JPEGImages/{video.name}/{name}.jpg")
                if labels is not None:
                    archive.writestr(f"{root}Annotations/{video.name}/{name}.png", encode_labels(labels))
                    for number in seen:
                        if (labels == number).any():
                            seen[number].append(name)
                done += 1
                tick(done)
            objects = {str(each.id): {"category": each.category, "frames": seen[each.id]} for each in video.objects}
            meta.setdefault(root, {})[video.name] = {"objects": objects}
        for root, videos in meta.items():
            archive.writestr(f"{root}meta.json", json.dumps({"videos": videos}, indent=1))


HOW_TO = """\
# YouTube-VOS

`Annotations/<video>/<frame>.png` is the mask of `JPEGImages/<video>/<frame>.jpg`: an indexed PNG whose pixel
values are the ids of the objects; 0 is background. `meta.json` has the category of each object and the frames
that show it.

```python
from pathlib import Path

import numpy as np
from PIL import Image

masks = {path.stem: np.array(Image.open(path)) for path in sorted(Path("Annotations").glob("*/*.png"))}
```
"""

FORMAT = Format(
    name="youtube-vos",
    title="YouTube-VOS",
    note="A zip with JPEGImages, Annotations and meta.json, which has the category of each object. Can be imported.",
    suffix="zip",
    media_type="application/zip",
    write=write,
    how_to=HOW_TO,
)
