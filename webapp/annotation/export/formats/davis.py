"""The export format DAVIS: frames, and masks as indexed PNG files. An export can be imported again."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from segmentation.formats.davis_folder import DavisPaths
from segmentation.formats.label_png import encode_labels
from webapp.annotation.export.format import Format
from webapp.annotation.export.subject import Subject, Tick, object_table


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write a zip with the folders JPEGImages, Annotations and ImageSets, and the objects of each video as JSON."""
    done = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # JPEG and PNG do not shrink further
        for subject in subjects:
            paths = DavisPaths(subject.folder, subject.height)
            for (index, labels), name in zip(subject.frames(), subject.names("number"), strict=True):
                subject.write_frame(archive, index, paths.frame(name))
                if labels is not None:
                    archive.writestr(paths.mask(name), encode_labels(labels, compress_level=1))
                done += 1
                tick(done)
            table = "objects.json" if len(subjects) == 1 else f"Objects/{subject.folder}.json"
            archive.writestr(table, object_table(subject))
        for split in sorted({subject.split for subject in subjects}):
            inside = "".join(f"{subject.folder}\n" for subject in subjects if subject.split == split)
            archive.writestr(f"ImageSets/2017/{split or 'val'}.txt", inside)


HOW_TO = """\
# DAVIS

`Annotations/<resolution>/<video>/<frame>.png` is the mask of `JPEGImages/<resolution>/<video>/<frame>.jpg`:
an indexed PNG whose pixel values are the ids of the objects; 0 is background. `objects.json` (of several
videos `Objects/<video>.json`) has the names and labels of the objects.

```python
from pathlib import Path

import numpy as np
from PIL import Image

masks = {path.stem: np.array(Image.open(path)) for path in sorted(Path("Annotations").glob("*/*/*.png"))}
```
"""

FORMAT = Format(
    name="davis",
    title="DAVIS",
    note="A zip with JPEGImages and Annotations: one indexed PNG a frame, all objects in it. It can be imported again.",
    suffix="zip",
    media_type="application/zip",
    write=write,
    how_to=HOW_TO,
)
