"""The export format labelme: a JSON file beside each frame, with a mask for each object."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.labelme import labelme_data
from webapp.annotation.export.format import Format
from webapp.annotation.export.subject import Subject, Tick, annotated


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write a zip with <video>/<frame>.jpg, and beside each frame that has a mask <video>/<frame>.json."""
    done = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for subject in subjects:
            video = annotated(subject)
            for (index, labels), name in zip(subject.frames(), video.frames, strict=True):
                subject.write_frame(archive, index, f"{video.name}/{name}.jpg")
                if labels is not None:
                    text = json.dumps(labelme_data(video, name, labels), indent=1)
                    archive.writestr(f"{video.name}/{name}.json", text, zipfile.ZIP_DEFLATED)
                done += 1
                tick(done)


HOW_TO = """\
# labelme

`<video>/<frame>.json` has the masks of `<video>/<frame>.jpg`: each is a PNG in base64 that lies in its box;
`group_id` is the id of the object. labelme opens the folder.

```python
import base64
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

masks = {}
for path in sorted(Path().glob("*/*.json")):
    data = json.loads(path.read_text())
    mask = np.zeros((data["imageHeight"], data["imageWidth"]), np.uint8)
    for shape in data["shapes"]:
        inside = np.array(Image.open(io.BytesIO(base64.b64decode(shape["mask"]))))
        x, y = shape["points"][0]
        mask[y : y + inside.shape[0], x : x + inside.shape[1]][inside] = shape["group_id"]
    masks[path.stem] = mask
```
"""

FORMAT = Format(
    name="labelme",
    title="labelme",
    note="A zip with frames and a JSON file beside each (labelme 5.3 or later): a mask in its box for each object.",
    suffix="zip",
    media_type="application/zip",
    write=write,
    how_to=HOW_TO,
)
