"""Fixtures for tests of imports. Each test has a new data folder and can check which files are left in it."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from webapp.accounts.models import User
from webapp.projects.models import Project
from webapp.videos import import_process
from webapp.videos.importing import run_import
from webapp.videos.models import Upload, Video
from webapp.videos.storage import upload_path

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
    """Return a function that sets an environment setting, such as MASKWRIGHT_MAX_FRAMES, during one test."""

    def change(name: str, value: int) -> None:
        monkeypatch.setitem(settings.CONFIG.values, name, value)

    return change


@pytest.fixture
def waiting(project: Project, annotator: User, sent_tasks: list[Any]) -> Bring:
    """Return a function that creates a video from a file as its upload does. The import waits, since no worker runs."""

    def make(path: Path) -> Video:
        size = path.stat().st_size
        upload = Upload.objects.create(project=project, name=path.name, size=size, received=size, created_by=annotator)
        shutil.copy(path, upload_path(upload.pk))
        return Video.objects.create(project=project, name=path.stem, upload=upload, created_by=annotator)

    return make


@pytest.fixture
def bring(waiting: Bring) -> Bring:
    """Return a function that imports a file in the test process and returns the video, which is ready or has failed."""

    def run(path: Path) -> Video:
        video = waiting(path)
        run_import(video.pk)
        video.refresh_from_db()
        return video

    return run


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if not path.is_dir()]


@pytest.fixture
def forked_reader(monkeypatch: pytest.MonkeyPatch, limit: Limit) -> None:
    """Fork the process that reads files from the test process, so that it has what the test has patched.

    The fork has the address space of the test process, which may exceed the limit of memory by far.
    """
    limit("MASKWRIGHT_IMPORT_MEMORY_MB", 1 << 20)
    monkeypatch.setattr(import_process, "_context", multiprocessing.get_context("fork"))
