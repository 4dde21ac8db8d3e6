"""Each test here has a data folder of its own, so that it can look at all that was left in it."""

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
    """Set one variable of the settings' table for this test."""

    def change(name: str, value: int) -> None:
        monkeypatch.setitem(settings.CONFIG.values, name, value)

    return change


@pytest.fixture
def waiting(project: Project, annotator: User, sent_tasks: list[Any]) -> Bring:
    """A video whose complete upload waits for its import; nothing runs by itself."""

    def make(path: Path) -> Video:
        size = path.stat().st_size
        upload = Upload.objects.create(project=project, name=path.name, size=size, received=size, created_by=annotator)
        shutil.copy(path, upload_path(upload.pk))
        return Video.objects.create(project=project, name=path.stem, upload=upload, created_by=annotator)

    return make


@pytest.fixture
def bring(waiting: Bring) -> Bring:
    """The video that a file becomes, or the failed one, after its import has run here."""

    def run(path: Path) -> Video:
        video = waiting(path)
        run_import(video.pk)
        video.refresh_from_db()
        return video

    return run


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if not path.is_dir()]


@pytest.fixture
def forked_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork the process that reads files from the test itself, so that it sees what the test has patched."""
    monkeypatch.setattr(import_process, "_context", multiprocessing.get_context("fork"))
