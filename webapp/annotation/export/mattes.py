"""Soft mattes of objects: grey PNG files for each object, grey videos, and videos with an alpha channel."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segmentation.formats.matte import soft_matte
from webapp.annotation.codec import LabelMap
from webapp.annotation.export.files import folder_name
from webapp.annotation.export.options import Matte
from webapp.annotation.export.subject import Subject, Tick, object_table
from webapp.annotation.export.video_file import Encoding, write_video
from webapp.videos.storage import RgbFrame


def write_mattes(subjects: Sequence[Subject], path: Path, tick: Tick, bits: int) -> None:
    """Write a zip with a folder for each object: its alpha in each frame that has a mask, as grey PNG of 8 or 16 bits.

    If there are several videos, each has a folder, in which the folders of its objects are.
    """
    done = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for subject in subjects:
            root = "" if len(subjects) == 1 else f"{subject.folder}/"
            folders = {each.number: f"{root}{each.number:03}-{folder_name(each.name)}" for each in subject.objects}
            for (index, labels), name in zip(subject.frames(), subject.names("number"), strict=True):
                if labels is not None:
                    picture = subject.picture(index)
                    for number, folder in folders.items():
                        alpha = soft_matte(picture, np.asarray(labels == number), subject.options.matte.edge)
                        archive.writestr(f"{folder}/{name}.png", _grey_png(alpha, bits))
                done += 1
                tick(done)
            archive.writestr(f"{root}objects.json", object_table(subject))


def _grey_png(alpha: NDArray[np.float32], bits: int) -> bytes:
    values = np.rint(alpha * ((1 << bits) - 1)).astype(np.uint16 if bits == 16 else np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def write_alpha_video(subjects: Sequence[Subject], path: Path, tick: Tick, encoding: Encoding) -> None:
    """Write a video of the frames of one video whose alpha channel is the matte of all exported objects together.

    The colours are those of the frames, multiplied by alpha if the options say so. Frames without a mask are
    transparent.
    """
    (subject,) = subjects
    write_video(subject, path, tick, encoding, partial(_with_alpha, subject.options.matte))


def write_matte_video(subjects: Sequence[Subject], path: Path, tick: Tick, encoding: Encoding) -> None:
    """Write a grey video of one video: the matte of all exported objects together. Frames without a mask are black."""
    (subject,) = subjects
    write_video(subject, path, tick, encoding, partial(_alpha, subject.options.matte))


def _with_alpha(matte: Matte, picture: RgbFrame, labels: LabelMap | None) -> NDArray[np.uint8]:
    alpha = _alpha(matte, picture, labels)
    if matte.premultiplied:
        picture = np.rint(picture * (alpha[..., None] / 255)).astype(np.uint8)
    return np.dstack([picture, alpha])


def _alpha(matte: Matte, picture: RgbFrame, labels: LabelMap | None) -> NDArray[np.uint8]:
    if labels is None:
        return np.zeros(picture.shape[:2], np.uint8)
    return np.rint(soft_matte(picture, labels > 0, matte.edge) * 255).astype(np.uint8)
