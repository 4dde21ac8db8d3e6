"""Trees of files, in a folder or a zip: files by their path relative to a root, with / between the parts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Protocol

# Files and folders that operating systems and file servers create. Names that begin with a dot count as clutter too.
CLUTTER = frozenset(
    {
        "__macosx",
        "@eadir",
        "#recycle",
        "$recycle.bin",
        "lost+found",
        "system volume information",
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
    }
)


# Pictures that are not read. They are named where others are read without them, because they may be frames.
UNREAD_PICTURES = frozenset(
    {".heic", ".heif", ".avif", ".cr2", ".nef", ".dng", ".arw", ".exr", ".jp2", ".jxl", ".psd", ".svg"}
)


class FileTree(Protocol):
    """A tree of files. `names` are the relative paths of its files, without clutter (see `is_clutter`)."""

    names: list[str]

    def read(self, name: str) -> bytes: ...


class FolderTree:
    """The files of a folder and its subfolders. Symbolic links are followed; `broken` lists links without a target.

    A backslash in a name separates folders: programs that unpack zips from Windows leave such names.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.names: list[str] = []
        self.broken: list[str] = []
        self._paths: dict[str, Path] = {}  # Of files whose paths have backslashes.
        seen: set[Path] = set()
        for folder, folders, files in os.walk(root, followlinks=True):
            real = Path(folder).resolve()
            if real in seen:  # A link to a parent folder would otherwise never end.
                folders.clear()
                continue
            seen.add(real)
            folders[:] = sorted(name for name in folders if not is_clutter(name))
            for name in sorted(files):
                path = Path(folder) / name
                relative = path.relative_to(root).as_posix()
                shown = relative.replace("\\", "/")
                if is_clutter(shown) or (shown != relative and (root / shown).exists()):
                    continue  # A file whose name has no backslash goes before one that would be shown by the same name.
                if shown != relative:
                    self._paths[shown] = path
                (self.names if path.is_file() else self.broken).append(shown)

    def read(self, name: str) -> bytes:
        return self.path(name).read_bytes()

    def path(self, name: str) -> Path:
        return self._paths.get(name, self.root / name)


def is_clutter(name: str) -> bool:
    """Return whether a part of a path begins with a dot or is a name that operating systems create, such as @eaDir."""
    return any(part.startswith(".") or part.casefold() in CLUTTER for part in PurePosixPath(name).parts)


def natural(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key of file names that compares numbers by value: "frame 2" comes before "frame 10"."""
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(part), "") if part.isascii() and part.isdigit() else (1, 0, part.casefold()) for part in parts]


def listed(names: Iterable[str], most: int = 3) -> str:
    """Return the first `most` names as a phrase: "a, b, c and 4 more"."""
    all_names = list(names)
    more = len(all_names) - most
    return ", ".join(all_names[:most]) + (f" and {more} more" if more > 0 else "")
