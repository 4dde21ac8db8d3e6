"""The export format EXR: soft mattes of all objects as layers of one OpenEXR file for each frame."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmentation.formats.matte import soft_matte
from webapp.annotation.codec import LabelMap
from webapp.annotation.export.format import Format
from webapp.annotation.export.subject import Subject, Tick, object_table


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write a zip with <video>/<frame>.exr for each frame that has a mask."""
    done = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive, tempfile.TemporaryDirectory() as folder:
        for subject in subjects:
            for (index, labels), name in zip(subject.frames(), subject.names("number"), strict=True):
                if labels is not None:
                    target = Path(folder) / "frame.exr"
                    _write_exr(target, _channels(subject, index, labels))
                    archive.write(target, f"{subject.folder}/{name}.exr")
                done += 1
                tick(done)
            archive.writestr(f"{subject.folder}/objects.json", object_table(subject))


def _channels(subject: Subject, index: int, labels: LabelMap) -> dict[str, NDArray[np.float16]]:
    """Return the matte of all objects as the channel A, and that of each object as the channel A of its layer.

    Each is float16 [H, W]. All objects that the frame does not show share the memory of one matte.
    """
    picture = subject.picture(index)
    shown = set(np.unique(labels).tolist())
    nothing = np.zeros(labels.shape, np.float16)
    edge = subject.options.matte.edge
    channels = {"A": soft_matte(picture, labels > 0, edge).astype(np.float16)}
    for each in subject.objects:
        inside = np.asarray(labels == each.number)
        matte = soft_matte(picture, inside, edge).astype(np.float16) if each.number in shown else nothing
        channels[f"object_{each.number:03}.A"] = matte
    return channels


def _write_exr(path: Path, channels: dict[str, NDArray[np.float16]]) -> None:
    import OpenEXR  # an extra; the web process imports this module

    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with OpenEXR.File(header, channels) as file:
        file.write(str(path))


HOW_TO = """\
# Soft mattes, OpenEXR

`<video>/<frame>.exr` has the matte of all objects together as the channel `A`, and that of each object as the
channel `object_<number>.A`, a layer of compositing programs: 0 outside, 1 inside, 16-bit floating point.
`objects.json` has the names of the objects.

```python
from pathlib import Path

import OpenEXR

mattes = {}
for path in sorted(Path().glob("*/*.exr")):
    with OpenEXR.File(str(path), separate_channels=True) as file:
        for name, channel in file.channels().items():
            mattes[f"{path.stem}/{name}"] = channel.pixels.copy()
```
"""

FORMAT = Format(
    name="mattes-exr",
    title="Soft mattes, OpenEXR",
    note="A zip with an EXR for each frame: a layer with the soft matte of each object, 16-bit floating point.",
    suffix="zip",
    media_type="application/zip",
    write=write,
    needs="OpenEXR",
    how_to=HOW_TO,
    takes=("matte",),
)
