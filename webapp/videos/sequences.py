"""Pictures in a tree of files as videos: the layout of DAVIS, or else every folder that has pictures.

JPEGImages/[480p/]<sequence>/00000.jpg
Annotations/[480p/]<sequence>/00000.png     ground truth, by the same file name
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from webapp.videos.archives import Files
from webapp.videos.decoding import DEFAULT_FPS
from webapp.videos.frame_writer import SourceFrame
from webapp.videos.pictures import SUFFIXES, read_labels, read_picture
from webapp.videos.refusal import Refused, check_count

MAX_SEQUENCES = 1000  # of one source; each becomes a video
FRAMES, MASKS = "jpegimages", "annotations"
PREFERRED_RESOLUTION = "480p"  # what the challenge is judged on, where a folder has several
VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".ogv", ".gif", ".m4v")


@dataclass
class PictureSequence:
    """One video-to-be: picture files in order, and masks for some of them."""

    files: Files
    part: str  # the folder of the pictures; names this sequence within `files`
    name: str
    pictures: list[str]
    masks: dict[str, str] = field(default_factory=dict)  # picture -> mask
    notes: list[str] = field(default_factory=list)
    fps: float = DEFAULT_FPS

    @property
    def expected(self) -> int:
        return len(self.pictures)

    def frames(self) -> Iterator[SourceFrame]:
        """Every picture, in order. Raises Refused."""
        check_count(len(self.pictures))
        for path in self.pictures:
            frame = read_picture(self.files.read(path), _short(path))
            mask = self.masks.get(path)
            if mask is not None:
                frame = replace(frame, truth=read_labels(self.files.read(mask), _short(mask)))
            yield frame


def find_sequences(files: Files) -> list[PictureSequence]:
    """All sequences of `files`, sorted by name. Raises Refused when there is no picture."""
    pictures = [name for name in files.names if PurePosixPath(name).suffix.lower() in SUFFIXES]
    if not pictures:
        if any(name.lower().endswith(VIDEO_SUFFIXES) for name in files.names):
            raise Refused("no_pictures", "There are no pictures inside, but a video: bring that itself, without a zip.")
        raise Refused("no_pictures", "There are no pictures inside.")
    found = _davis(files, pictures) if is_davis(pictures) else _folders(files, pictures)
    if len(found) > MAX_SEQUENCES:
        raise Refused(
            "too_many_videos", f"There are {len(found)} folders of pictures; at most {MAX_SEQUENCES} at once."
        )
    return found


def is_davis(names: list[str]) -> bool:
    """Whether any of these files lies below a folder JPEGImages."""
    return any(_split(name, FRAMES) for name in names)


def _folders(files: Files, pictures: list[str]) -> list[PictureSequence]:
    folders = _by_folder(pictures)
    alone = len(folders) == 1
    return [PictureSequence(files, f, "" if alone else _title(f), folders[f]) for f in sorted(folders, key=natural)]


def natural(name: str) -> list[tuple[int, int, str]]:
    """A sort key in which frame 2 comes before frame 10."""
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(part), "") if part.isascii() and part.isdigit() else (1, 0, part.casefold()) for part in parts]


@dataclass(frozen=True)
class _Place:
    """Where a file lies in the layout of DAVIS."""

    root: str  # what stands before JPEGImages or Annotations
    resolution: str
    sequence: str


def _davis(files: Files, pictures: list[str]) -> list[PictureSequence]:
    frames = _by_place(pictures, FRAMES)
    masks = _by_place(pictures, MASKS)
    chosen: dict[tuple[str, str], _Place] = {}
    for place in sorted(frames, key=lambda p: (p.resolution != PREFERRED_RESOLUTION, p.resolution)):
        chosen.setdefault((place.root, place.sequence), place)
    found = []
    for place in sorted(chosen.values(), key=lambda p: (natural(p.sequence), p.root)):
        sequence = PictureSequence(files, str(PurePosixPath(frames[place][0]).parent), place.sequence, frames[place])
        sequence.masks = _matched(sequence, masks.get(place, []))
        found.append(sequence)
    unused = sorted({place.sequence or "." for place in set(masks) - set(frames)})
    if unused:
        found[0].notes.append(f"Masks without frames were left out: {', '.join(unused[:5])}.")
    return found


def _matched(sequence: PictureSequence, masks: list[str]) -> dict[str, str]:
    by_stem = {PurePosixPath(path).stem: path for path in sequence.pictures}
    matched = {}
    for mask in masks:
        stem = PurePosixPath(mask).stem
        if stem not in by_stem:
            raise Refused("mask_without_frame", f"The mask {_short(mask)} has no frame of the same name.")
        matched[by_stem[stem]] = mask
    return matched


def _by_place(pictures: list[str], folder: str) -> dict[_Place, list[str]]:
    found: dict[_Place, list[str]] = {}
    for name in sorted(pictures, key=natural):
        split = _split(name, folder)
        if split is None:
            continue
        root, below = split
        resolution = below[0] if len(below) > 1 else ""
        found.setdefault(_Place(root, resolution, "/".join(below[1:] or below)), []).append(name)
    return found


def _split(name: str, folder: str) -> tuple[str, tuple[str, ...]] | None:
    """What stands before `folder` in the path, and the folders below it; None when the path does not go through it."""
    parts = PurePosixPath(name).parts[:-1]
    for at, part in enumerate(parts):
        if part.casefold() == folder:
            return "/".join(parts[:at]), parts[at + 1 :]
    return None


def _by_folder(pictures: list[str]) -> dict[str, list[str]]:
    folders: dict[str, list[str]] = {}
    for name in sorted(pictures, key=natural):
        folders.setdefault(str(PurePosixPath(name).parent), []).append(name)
    return folders


def _title(folder: str) -> str:
    return "" if folder == "." else folder


def _short(path: str) -> str:
    return "/".join(PurePosixPath(path).parts[-2:])
