"""Stored files in the data folder of this machine. The name of a file is its path below that folder."""

from __future__ import annotations

import errno
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SET_ASIDE = "deleted-"  # The prefix of the names of folders that were set aside.


@dataclass(frozen=True)
class FolderStorage:
    """Keeps stored files in the folder `root` of this machine, as `Storage` in files.py describes."""

    root: Path
    on_this_disk = True

    def open_cached(self, name: str) -> IO[bytes]:
        return (self.root / name).open("rb")

    def fetch_ahead(self, names: Iterable[str]) -> None:
        pass  # All files are on this machine.

    def open(self, name: str, start: int = 0) -> IO[bytes]:
        file = (self.root / name).open("rb")
        file.seek(start)
        return file

    def size(self, name: str) -> int:
        return (self.root / name).stat().st_size

    def sizes(self, folder: str) -> dict[str, int]:
        with suppress(FileNotFoundError), os.scandir(self.root / folder) as entries:
            return dict(sorted((entry.name, entry.stat().st_size) for entry in entries if entry.is_file()))
        return {}

    def folders(self, folder: str) -> list[str]:
        with suppress(FileNotFoundError):
            return [path.name for path in (self.root / folder).iterdir() if path.is_dir()]
        return []

    def save(self, path: Path, name: str) -> None:
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)

    def save_folder(self, path: Path, name: str, beat: Callable[[], object]) -> None:
        self.remove_folder(name)
        self._move(path, self.root / name)

    def exchange_folder(self, path: Path, name: str, old: str) -> Callable[[], None]:
        own, before = self.root / name, self.root / old
        if own.exists():
            own.rename(before)
        self._move(path, own)

        def take_back() -> None:
            shutil.rmtree(own)
            if before.exists():
                before.rename(own)

        return take_back

    def copy_folder(self, source: str, target: str, staging: str, beat: Callable[[], object]) -> Callable[[], None]:
        def link(at: str, to: str) -> None:
            beat()
            _link(at, to)

        copy = self.root / staging
        try:
            shutil.copytree(self.root / source, copy, copy_function=link)
        except BaseException:
            shutil.rmtree(copy, ignore_errors=True)
            raise
        return lambda: self.save_folder(copy, target, beat)

    def remove(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)

    def remove_folder(self, name: str) -> None:
        with suppress(FileNotFoundError):  # Another worker may remove it at the same time.
            shutil.rmtree(self.root / name)

    def set_aside(self, folder: str, name: str) -> None:
        parent = self.root / folder
        with suppress(FileNotFoundError):
            (parent / name).rename(parent / f"{SET_ASIDE}{name}")

    def remove_set_aside(self, folder: str) -> None:
        for name in self.folders(folder):
            if name.startswith(SET_ASIDE):
                self.remove_folder(f"{folder}/{name}")

    def age(self, folder: str) -> float:
        # A copied folder has the time of change of the original, but not its ctime.
        return time.time() - (self.root / folder).stat().st_ctime

    def address(self, name: str, *, media_type: str, saved_as: str = "") -> str | None:
        return None

    def check(self) -> None:
        probe = self.root / f".ready-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        probe.write_bytes(b"")
        probe.unlink()

    def look(self) -> None:
        if not os.access(self.root, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "the data folder cannot be written", str(self.root))

    @staticmethod
    def _move(path: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)


def _link(source: str, target: str) -> None:
    """Give a file a second name; where the file system cannot do that, copy it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
