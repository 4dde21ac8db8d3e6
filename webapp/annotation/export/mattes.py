"""Soft mattes of objects: grey PNG files for each object, and videos with an alpha channel."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segmentation.formats.matte import soft_matte
from webapp.annotation.codec import LabelMap
from webapp.annotation.export.files import folder_name
from webapp.annotation.export.subject import Subject, Tick, object_table
from webapp.videos.storage import RgbFrame

HD_HEIGHT = 720
BT709, SMPTE170M, LIMITED = 1, 6, 1  # code points of ISO/IEC 23091-2


def write_mattes(subjects: Sequence[Subject], path: Path, tick: Tick, bits: int) -> None:
    """Write a zip with a folder for each object, of grey PNG files with 8 or 16 bits: its alpha in each frame.

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
                        alpha = soft_matte(picture, np.asarray(labels == number))
                        archive.writestr(f"{folder}/{name}.png", _grey_png(alpha, bits))
                done += 1
                tick(done)
            archive.writestr(f"{root}objects.json", object_table(subject))


def _grey_png(alpha: NDArray[np.float32], bits: int) -> bytes:
    values = np.rint(alpha * ((1 << bits) - 1)).astype(np.uint16 if bits == 16 else np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def write_alpha_video(
    subjects: Sequence[Subject],
    path: Path,
    tick: Tick,
    *,
    container: str,
    codec: str,
    pix_fmt: str,
    options: Mapping[str, str],
) -> None:
    """Write a video of the frames of one video whose alpha channel is the matte of all exported objects together.

    The colours are those of the frames, not multiplied by alpha. Frames without a mask are transparent.

    Args:
        subjects: the video.
        path: the file.
        tick: called after each frame.
        container: FFmpeg's name of the file format.
        codec: FFmpeg's name of the encoder.
        pix_fmt: a format of pixels with alpha that the encoder takes.
        options: options of the encoder.
    """
    import av  # the web process imports this module, and must not load an encoder

    (subject,) = subjects
    hd = subject.height >= HD_HEIGHT
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=Fraction(subject.video.fps).limit_denominator(1001))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = subject.width + subject.width % 2, subject.height + subject.height % 2
        stream.pix_fmt = pix_fmt
        stream.options = dict(options)
        aspect = 1 if subject.width != subject.video.width else subject.video.pixel_aspect
        stream.codec_context.sample_aspect_ratio = Fraction(aspect).limit_denominator(1000)
        stream.codec_context.colorspace = BT709 if hd else SMPTE170M
        stream.codec_context.color_range = LIMITED
        for at, (index, labels) in enumerate(subject.frames()):
            frame = av.VideoFrame.from_ndarray(_with_alpha(subject.picture(index), labels), format="rgba")
            frame = frame.reformat(format=pix_fmt, dst_colorspace="ITU709" if hd else "ITU601")
            frame.pts = at
            file.mux(stream.encode(frame))
            tick(at + 1)
        file.mux(stream.encode(None))


def _with_alpha(picture: RgbFrame, labels: LabelMap | None) -> NDArray[np.uint8]:
    """Return a frame with alpha, uint8 RGBA, of an even size: the last row or column is repeated if it is odd."""
    height, width = picture.shape[:2]
    alpha = np.zeros((height, width), np.uint8)
    if labels is not None:
        alpha = np.rint(soft_matte(picture, labels > 0) * 255).astype(np.uint8)
    together = np.dstack([picture, alpha])
    return np.ascontiguousarray(np.pad(together, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge"))
