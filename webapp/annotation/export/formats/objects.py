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
            for index, labels in subject.frames():
                if labels is not None:
                    for number, folder in folders.items():
                        archive.writestr(f"{folder}/{index:05}.png", _binary_png(labels == number))
                done += 1
                tick(done)
            archive.writestr(f"{root}objects.json", object_table(subject))


def _binary_png(mask: NDArray[np.bool_]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(buffer, "PNG")
    return buffer.getvalue()


FORMAT = Format(
    name="objects",
    title="A PNG for each object",
    note="A zip with a folder for each object: white where the object is, black elsewhere.",
    suffix="zip",
    media_type="application/zip",
    write=write,
)
