"""Writes the files of one video: JPEG frames, thumbnails, ground truth, and the names and times of source frames."""

from __future__ import annotations

import io
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from PIL import Image

from segmentation.formats.label_png import encode_labels
from segmentation.types import IGNORE, LabelMap
from webapp.videos.refusal import Refused, check_count, check_disk, check_size
from webapp.videos.scene_cuts import Signature, SignatureList, cuts_of, signature_of
from webapp.videos.source_table import SourceTable, write_source_table
from webapp.videos.storage import RgbFrame, VideoFolder

JPEG_QUALITY = 92  # Engines read these frames. Below 90, artefacts appear at the edges of objects.
THUMB_QUALITY = 80
THUMB_SIDE = 256
HASH_BYTES = 16  # The first bytes of a SHA-256: they are to find damage, not forgery.
DISK_CHECK_EVERY = 50  # The number of frames between two checks of the free disk space.


@dataclass(frozen=True)
class SourceFrame:
    """A frame to import, from an image file, a video file or memory.

    `jpeg` is the content of the image file if it is a JPEG file that can be stored unchanged. `truth` is the ground
    truth, uint8 [H, W]. `source` is the name of the image file, with the number of the page if it has several; "" for
    other frames. `time` is the time stamp of a frame of a video file, in seconds.
    """

    picture: RgbFrame | Image.Image  # An array uint8 [H, W, 3], or an image of mode RGB.
    jpeg: bytes | None = None
    truth: LabelMap | None = None
    name: str = ""  # Used in messages to the user.
    source: str = ""
    time: float | None = None


@dataclass(frozen=True)
class WrittenVideo:
    """The size and number of the frames that a `FrameWriter` wrote, their bytes, ground truth and scene cuts."""

    width: int
    height: int
    count: int
    size_bytes: int
    truth_frames: list[int]
    truth_objects: int  # The highest object id in the ground truth.
    cuts: list[int]  # The first frame of each new scene.
    hashes: bytes  # Those of the frames, one after the other.


@dataclass(frozen=True)
class _Written:
    """A frame whose files are written: their size in bytes, its signature for finding scene cuts, and its hash."""

    size: int
    signature: Signature
    hash: bytes


class FrameWriter:
    """Encodes and writes frames in a few threads. It is a context manager; leaving the block waits for the threads.

    After the block, `written` describes the video.
    """

    def __init__(self, folder: VideoFolder) -> None:
        self.width = self.height = self.count = self.size_bytes = self.truth_objects = 0
        self.truth_frames: list[int] = []
        self._names: list[str] = []
        self._times: list[float | None] = []
        self._folder = folder
        threads = min(4, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="frames")
        self._pending: deque[Future[_Written]] = deque()
        self._signatures = SignatureList()
        self._hashes = bytearray()
        self._most_pending = 2 * threads  # This bounds the memory, because a 4K frame takes 25 MB.

    def __enter__(self) -> Self:
        check_disk()
        self._folder.make()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                while self._pending:
                    self._collect()
                self.size_bytes += write_source_table(self._folder, SourceTable(self._names, self._times))
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def add(self, frame: SourceFrame) -> None:
        """Write the next frame.

        Raises Refused if the frame is too large, if its size or that of its ground truth differs from the first frame,
        for too many frames, or for a full disk. Raises what went wrong when an earlier frame was written.
        """
        picture = frame.picture if isinstance(frame.picture, Image.Image) else Image.fromarray(frame.picture)
        self._check(picture, frame)
        index = self.count
        self.count += 1
        self._names.append(frame.source)
        self._times.append(frame.time)
        if frame.truth is not None:
            self._note_truth(index, frame.truth)
        self._pending.append(self._pool.submit(_write, self._folder, index, picture, frame.jpeg, frame.truth))
        while len(self._pending) >= self._most_pending:
            self._collect()

    @property
    def written(self) -> WrittenVideo:
        return WrittenVideo(
            self.width,
            self.height,
            self.count,
            self.size_bytes,
            self.truth_frames,
            self.truth_objects,
            cuts_of(self._signatures.all()),
            bytes(self._hashes),
        )

    def _check(self, picture: Image.Image, frame: SourceFrame) -> None:
        check_count(self.count + 1)
        if self.count % DISK_CHECK_EVERY == 0:
            check_disk()
        if not self.count:
            check_size(*picture.size)
            self.width, self.height = picture.size
        name = frame.name or f"Frame {self.count}"
        first = f"{self.width}x{self.height}"
        if picture.size != (self.width, self.height):
            found = f"{picture.width}x{picture.height}"
            raise Refused(
                "mixed_sizes", f"{name} is {found}, the first is {first}. All frames must have the same size."
            )
        if frame.truth is not None and frame.truth.shape != (self.height, self.width):
            found = f"{frame.truth.shape[1]}x{frame.truth.shape[0]}"
            raise Refused("mask_size", f"The mask of {name} is {found}, the frame is {first}. They must be the same.")

    def _note_truth(self, index: int, truth: LabelMap) -> None:
        self.truth_frames.append(index)
        objects = truth[truth != IGNORE]
        self.truth_objects = max(self.truth_objects, int(objects.max(initial=0)))

    def _collect(self) -> None:
        written = self._pending.popleft().result()
        self.size_bytes += written.size
        self._signatures.append(written.signature)
        self._hashes += written.hash


def _write(
    folder: VideoFolder, index: int, picture: Image.Image, jpeg: bytes | None, truth: LabelMap | None
) -> _Written:
    """Write the files of one frame."""
    data = jpeg or _jpeg(picture, JPEG_QUALITY)
    written = _save(folder.frame(index), data)
    written += write_thumb(picture, folder.thumb(index))
    if truth is not None:
        written += _save(folder.truth(index), encode_labels(np.ascontiguousarray(truth)))
    return _Written(written, signature_of(picture), hash_of(data))


def hash_of(data: bytes) -> bytes:
    """Return the hash, HASH_BYTES long, of the content of the file of a frame."""
    return sha256(data).digest()[:HASH_BYTES]


def write_thumb(picture: Image.Image, path: Path) -> int:
    """Write the small version of a frame as a JPEG file and return its size in bytes."""
    small = picture.copy()
    small.thumbnail((THUMB_SIDE, THUMB_SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return _save(path, _jpeg(small, THUMB_QUALITY))


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _save(path: Path, data: bytes) -> int:
    path.write_bytes(data)
    return len(data)
