"""Fixtures for tests of imports. Each test has a new data folder, and can check which files an import leaves there."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from webapp.accounts.models import User
from webapp.projects.models import Project
from webapp.videos import reader_process
from webapp.videos.importing import run_import
from webapp.videos.models import Upload, Video
from webapp.videos.upload_files import upload_path

Bring = Callable[[Path], Video]
Limit = Callable[[str, int], None]


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    (folder / "uploads").mkdir(parents=True)
    settings.HOME = folder
    return folder


@pytest.fixture
def limit(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Limit:
    """Return a function `limit(name, value)` that changes a setting, such as MASKWRIGHT_MAX_FRAMES, during one test."""

    def change(name: str, value: int) -> None:
        monkeypatch.setitem(settings.CONFIG.values, name, value)

    return change


@pytest.fixture
def waiting(project: Project, annotator: User, sent_tasks: list[Any]) -> Bring:
    """Return a function that uploads the file at a path and returns the new video, whose import waits for a worker."""

    def make(path: Path) -> Video:
        size = path.stat().st_size
        upload = Upload.objects.create(project=project, name=path.name, size=size, received=size, created_by=annotator)
        shutil.copy(path, upload_path(upload.pk))
        return Video.objects.create(project=project, name=path.stem, upload=upload, created_by=annotator)

    return make


@pytest.fixture
def bring(waiting: Bring) -> Bring:
    """Return a function that uploads and imports the file at a path, and returns the video, ready or failed."""

    def run(path: Path) -> Video:
        video = waiting(path)
        run_import(video.pk)
        video.refresh_from_db()
        return video

    return run


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if not path.is_dir()]


class ReaderThread(threading.Thread):
    """Thread that replaces the process in which an import reads a file. It sees what the test has patched.

    `args[0]` is the pipe to the import. Like a process, the thread has a duplicate of the pipe and closes it when it
    ends.
    """

    def __init__(self, target: Callable[..., None], args: tuple[Any, ...], daemon: bool) -> None:
        connection, *others = args
        self._connection = Connection(os.dup(connection.fileno()))
        super().__init__(target=target, args=(self._connection, *others), daemon=daemon)

    def run(self) -> None:
        super().run()
        self._connection.close()

    def kill(self) -> None:
        pass


@pytest.fixture
def reader_thread(monkeypatch: pytest.MonkeyPatch, limit: Limit) -> None:
    """Let imports read files in a thread of the test process, so that patches of the test have an effect there.

    The memory limit of the reading process is not set, since it would apply to the test process.
    """
    limit("MASKWRIGHT_IMPORT_MEMORY_MB", 1 << 20)
    context = SimpleNamespace(Pipe=multiprocessing.Pipe, Process=ReaderThread)
    monkeypatch.setattr(reader_process, "_context", context)
    monkeypatch.setattr(reader_process.resource, "setrlimit", lambda *limits: None)
