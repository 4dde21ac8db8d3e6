"""Saves the masks or scribbles of a session as files: one function for each format."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from segmentation.formats.davis_folder import DavisPaths, write_masks
from segmentation.formats.label_png import write_labels
from segmentation.formats.scribble_json import write_scribbles
from segmentation.types import FrameSource, Interaction, LabelMap

JPEG = frozenset({".jpg", ".jpeg"})
QUALITY = 95  # JPEG quality for frames that do not come from JPEG files


@dataclass(frozen=True, eq=False)
class SavedSession:
    """What a session can save: frames and their image files (if any), masks by frame, and all interactions."""

    frames: FrameSource
    name: str
    files: tuple[Path, ...]
    masks: Mapping[int, LabelMap]
    interactions: tuple[Interaction, ...]


def save_labels(made: SavedSession, root: Path) -> None:
    """Write the masks into the folder `root` as indexed PNG files 00000.png, 00001.png, ... by frame index.

    Raises ValueError if there is no mask.
    """
    _check_masks(made)
    root.mkdir(parents=True, exist_ok=True)
    for frame in sorted(made.masks):
        write_labels(root / f"{frame:05}.png", made.masks[frame])


def save_davis(made: SavedSession, root: Path) -> None:
    """Write frames and masks into the folder `root` in the layout of DAVIS. Frames that are JPEG files are copied.

    Raises ValueError if there is no mask.
    """
    _check_masks(made)
    paths = DavisPaths(_file_name(made.name), made.frames.height)
    for index in range(len(made.frames)):
        target = root / paths.frame(index)
        target.parent.mkdir(parents=True, exist_ok=True)
        if made.files and made.files[index].suffix.lower() in JPEG:
            shutil.copyfile(made.files[index], target)
        else:
            Image.fromarray(made.frames[index]).save(target, "JPEG", quality=QUALITY)
    write_masks(root, paths, ((frame, made.masks[frame]) for frame in sorted(made.masks)))


def save_scribbles(made: SavedSession, root: Path) -> None:
    """Write all scribbles into the file scribbles.json in `root`, in the JSON of the DAVIS interactive challenge.

    Raises ValueError if nothing was drawn.
    """
    if not made.interactions:
        raise ValueError("there is nothing to save: nothing was drawn yet")
    root.mkdir(parents=True, exist_ok=True)
    write_scribbles(root / "scribbles.json", made.interactions, made.name, len(made.frames))


SAVERS: dict[str, Callable[[SavedSession, Path], None]] = {
    "labels": save_labels,
    "davis": save_davis,
    "scribbles": save_scribbles,
}


def _check_masks(made: SavedSession) -> None:
    if not made.masks:
        raise ValueError("there is nothing to save: no frame has a mask yet")


def _file_name(name: str) -> str:
    """Return a name of a folder for a video: characters that file systems may refuse become hyphens."""
    kept = "".join(letter if letter.isalnum() or letter in "-_. " else "-" for letter in name).strip(". ")
    return kept or "video"
