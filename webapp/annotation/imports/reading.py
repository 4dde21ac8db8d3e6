"""Reads the masks in an untrusted file of annotations in a separate process, which writes them to a folder."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path, PurePosixPath

import numpy as np
from django.conf import settings

from segmentation.formats.annotated_video import AnnotatedObject, AnnotatedVideo
from segmentation.formats.annotation_files import read_annotations
from segmentation.formats.file_tree import FileTree
from segmentation.formats.json_file import AnnotationError, parse_json
from segmentation.types import IGNORE
from webapp.annotation.codec import encode
from webapp.videos.archives import ZipFiles
from webapp.videos.reader_process import Beat, Reader, reading
from webapp.videos.refusal import Refused, check_disk

RECORD = struct.Struct(">II")  # Before each mask of a file of masks: the frame, and the number of bytes.
MOST_FILE_BYTES = 512 << 20  # The largest file that is read as a whole, such as the JSON of a data set.
TELL_SECONDS = 1.0  # The least time between two messages that files are being read.
DISK_CHECK_EVERY = 200  # The number of masks between two checks of the free disk space.


@dataclass(frozen=True)
class FoundMasks:
    """A video with masks in a file: its name, size, frames (by name) and objects, as the file has them."""

    name: str
    width: int
    height: int
    frames: tuple[str, ...]
    objects: tuple[AnnotatedObject, ...]


@dataclass(frozen=True)
class FoundFile:
    """What was found in a file of annotations: the name of its format, and the videos.

    `numbered` says that the names of frames are their indexes for sure, because an export of this program says so.
    """

    format: str
    videos: list[FoundMasks]
    numbered: bool = False


@dataclass(frozen=True)
class Wanted:
    """A request to write the masks of one video of the file of annotations to the file of masks `path`.

    `index` is the index of that video in the file of annotations. `frames` has, for each of its frames, the frame of
    the project's video, or None for a frame that is not written.
    """

    index: int
    frames: Sequence[int | None]
    path: Path


@dataclass(frozen=True)
class ReadMasks:
    """What an imported file has for a video: the frames with a mask, the object ids in the masks, and whether some
    pixels are marked as "ignore".
    """

    frames: list[int]
    ids: set[int]
    ignored: bool


@dataclass(frozen=True)
class _Progress:
    count: int | None  # The number of masks written so far. None: the process reads, and there is no new mask.


class MaskReader:
    """The content of a file of annotations, and the process that reads it."""

    def __init__(self, reader: Reader, found: FoundFile, beat: Beat) -> None:
        self.found = found
        self._reader = reader
        self._beat = beat

    def write(self, wanted: Sequence[Wanted]) -> list[ReadMasks]:
        """Read the masks of the wanted videos and write those of each to its file `Wanted.path`.

        Return what was found, for each of them. Raises what `Reader.receive` raises, such as Refused if the file cannot
        be used or the disk is nearly full.
        """
        self._reader.send(wanted)
        while True:
            answer = self._reader.receive()
            if isinstance(answer, list):
                return answer
            assert isinstance(answer, _Progress)
            self._beat(answer.count)


@contextmanager
def read_masks(path: Path, name: str, beat: Beat) -> Iterator[MaskReader]:
    """Open the file of annotations at `path`, which was uploaded under `name`, in a separate process.

    Leaving the block ends the process. While a message of the process is awaited, `beat` is called four times a second
    or more often. Raises what `Reader.receive` raises.
    """
    with reading(_read, path, beat, int(settings.CONFIG["MASKWRIGHT_MASK_IMPORT_MEMORY_MB"])) as reader:
        reader.send(name)
        while isinstance(found := reader.receive(), _Progress):
            beat(found.count)
        assert isinstance(found, FoundFile)
        yield MaskReader(reader, found, beat)


def stored_masks(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the frame and the bytes (codec.py) of each mask in a file of masks."""
    with path.open("rb") as file:
        while head := file.read(RECORD.size):
            frame, size = RECORD.unpack(head)
            yield frame, file.read(size)


# --- in the process -------------------------------------------------------------------------------------------------


def _read(connection: Connection, path: Path) -> None:
    name = connection.recv()
    with _opened(path, name) as files:
        try:
            annotations = read_annotations(_Telling(files, connection))
            videos = [FoundMasks(v.name, v.width, v.height, v.frames, v.objects) for v in annotations.videos]
            connection.send(FoundFile(annotations.format, videos, _is_numbered(files)))
            read, written = [], 0
            for wanted in connection.recv():
                read.append(_write(connection, annotations.videos[wanted.index], wanted, written))
                written += len(read[-1].frames)
            connection.send(read)
        except AnnotationError as error:
            raise Refused("bad_annotations", f"{_begun(str(error), files)[:1000]}.") from None


def _begun(text: str, files: FileTree) -> str:
    """Return a text with a capital letter at its beginning, unless it begins with the name of a file or folder."""
    named = any(text.startswith(name.split("/", 1)[0]) for name in files.names)
    return text if named else text[:1].upper() + text[1:]


def _write(connection: Connection, video: AnnotatedVideo, wanted: Wanted, before: int) -> ReadMasks:
    """Write the masks of a video as `wanted` says, and return what was found. `before` is the number of masks that were
    written for other videos.
    """
    frames: list[int] = []
    ids: set[int] = set()
    with wanted.path.open("wb") as file:
        for frame, labels in zip(wanted.frames, video.masks(), strict=True):
            if frame is None or labels is None:
                continue
            if labels.shape != (video.height, video.width):
                raise AnnotationError(
                    f"the mask of frame {frame} has {labels.shape[1]} x {labels.shape[0]} pixels, that of the first "
                    f"frame {video.width} x {video.height}"
                )
            if len(frames) % DISK_CHECK_EVERY == 0:
                check_disk()
            data = encode(labels)
            file.write(RECORD.pack(frame, len(data)) + data)
            frames.append(frame)
            ids.update(np.unique(labels).tolist())
            connection.send(_Progress(before + len(frames)))
    return ReadMasks(frames, ids - {0, IGNORE}, IGNORE in ids)


def _is_numbered(files: FileTree) -> bool:
    """Return whether the manifest.json of an export says that its frames are called by their indexes.

    This is always so for the formats Cityscapes and, if the export has its text files, MOTS.
    """
    name = next((name for name in files.names if PurePosixPath(name).name == "manifest.json"), None)
    if name is None:
        return False
    try:
        manifest = parse_json(files.read(name))
    except AnnotationError:
        return False  # A file of another program, which says nothing here.
    options = manifest.get("options")
    if not str(manifest.get("program")).startswith("Maskwright") or not isinstance(options, dict):
        return False
    text = any("instances_txt" in PurePosixPath(name).parts for name in files.names)
    written = manifest.get("format")
    return options.get("names") == "number" or written == "cityscapes" or (written == "mots" and text)


class _Telling:
    """A tree of files that sends a message when a file is read, at most once a second.

    Some readers decode all the files of a video before they return. Without a message, such a reader would look as if
    it hung.
    """

    def __init__(self, files: FileTree, connection: Connection) -> None:
        self._files, self._connection = files, connection
        self.names = files.names
        self._told = time.monotonic()

    def read(self, name: str) -> bytes:
        if time.monotonic() - self._told >= TELL_SECONDS:
            self._told = time.monotonic()
            self._connection.send(_Progress(None))
        return self._files.read(name)


@contextmanager
def _opened(path: Path, name: str) -> Iterator[FileTree]:
    with path.open("rb") as file:
        is_zip = file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
    if is_zip:
        with ZipFiles(path) as files:
            yield files
    else:
        yield _OneFile(path, PurePosixPath(name).name)


class _OneFile:
    """A single file in the form of a tree of files, under the name that it was uploaded with."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self.names = [name]

    def read(self, name: str) -> bytes:
        if self._path.stat().st_size > MOST_FILE_BYTES:
            raise Refused("too_large", f"{name} has more than {MOST_FILE_BYTES >> 20} MB. Divide it first.", 413)
        return self._path.read_bytes()
