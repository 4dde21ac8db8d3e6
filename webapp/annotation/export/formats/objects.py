"""The export format with one folder of black and white PNG files for each object."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from webapp.annotation.export.files import folder_name
from webapp.annotation.export.format import Format
from webapp.annotation.export.subject import Subject, Tick, object_table


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write a zip with a folder for each object. The grey PNG files are 255 inside the object and 0 elsewhere.

    If there are several videos, each has a folder, in which the folders of its objects are.
    """
    done = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for subject in subjects:
            root = "" if len(subjects) == 1 else f"{subject.folder}/"
            folders = {each.number: f"{root}{each.number:03}-{folder_name(each.name)}" for each in subject.objects}
            for (_, labels), name in zip(subject.frames(), subject.names("number"), strict=True):
                if labels is not None:
                    for number, folder in folders.items():
                        archive.writestr(f"{folder}/{name}.png", _binary_png(labels == number))
                done += 1
                tick(done)
            archive.writestr(f"{root}objects.json", object_table(subject))


def _binary_png(mask: NDArray[np.bool_]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(buffer, "PNG")
    return buffer.getvalue()


HOW_TO = """\
# A PNG for each object

`<number>-<name>/<frame>.png` is white where the object is and black elsewhere. Several videos have a folder
each. `objects.json` has the names and labels of the objects.

```python
from pathlib import Path

import numpy as np
from PIL import Image

masks = {}
for path in sorted(Path().glob("*/*.png")):
    number = int(path.parent.name.split("-")[0])
    inside = np.array(Image.open(path)) > 127
    mask = masks.setdefault(path.stem, np.zeros(inside.shape, np.uint8))
    mask[inside] = number
```
"""

FORMAT = Format(
    name="objects",
    title="A PNG for each object",
    note="A zip with a folder for each object: white where the object is, black elsewhere.",
    suffix="zip",
    media_type="application/zip",
    write=write,
    how_to=HOW_TO,
)
