"""Fixtures: a video whose frames are on disk, and the fake engine of the tests in the registry of engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segmentation import registry
from tests.segmentation.fake_engine import ENGINES
from tests.webapp.conftest import make_video
from webapp.accounts.models import User
from webapp.annotation.objects import add_object
from webapp.inference import work
from webapp.inference.sessions import SessionCache
from webapp.projects.models import Project
from webapp.videos.models import Video
from webapp.videos.storage import folder_of


def write_frames(video: Video) -> None:
    folder = folder_of(video.pk)
    folder.make()
    for index in range(video.frame_count):
        picture = np.full((video.height, video.width, 3), 10 * index, np.uint8)
        Image.fromarray(picture).save(folder.frame(index), quality=95)


@pytest.fixture(autouse=True)
def fake_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.ENGINES, "fake", ENGINES["fake"])
    monkeypatch.setattr(work, "sessions", SessionCache(1 << 32))


@pytest.fixture
def video(project: Project, owner: User, settings: Any, tmp_path: Path) -> Video:
    settings.HOME = tmp_path
    video = make_video(project, owner)
    add_object(video=video, author=owner, name="Fish")
    write_frames(video)
    return video
