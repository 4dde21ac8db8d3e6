"""The export format npz: label maps as NumPy arrays."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from webapp.annotation.export.format import Format
from webapp.annotation.export.subject import Subject, Tick, object_table


def write(subjects: Sequence[Subject], path: Path, tick: Tick) -> None:
    """Write an npz file with the array <video>/<frame>, uint8 [H, W], for each frame that has a mask.

    The array <video>/objects is a string: the objects of the video as JSON.
    """
    done = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for subject in subjects:
            for (_, labels), name in zip(subject.frames(), subject.names("number"), strict=True):
                if labels is not None:
                    archive.writestr(f"{subject.folder}/{name}.npy", _npy(labels))
                done += 1
                tick(done)
            archive.writestr(f"{subject.folder}/objects.npy", _npy(np.array(object_table(subject))))


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


FORMAT = Format(
    name="npz",
    title="NumPy arrays",
    note='An npz file: numpy.load(file)["video/00000"] is the label map of frame 0, uint8 [height, width].',
    suffix="npz",
    media_type="application/zip",
    write=write,
)
