"""Fixtures for tests of imports of masks: a video with masks, one of the same frames without masks, a data folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.webapp.annotation.export.test_jobs import COUNT, add_round, labels, make_video
from webapp.accounts.models import User
from webapp.annotation.models import Object
from webapp.projects.models import Label, Project
from webapp.videos.models import Video

MASKS = {index: labels(index) for index in range(COUNT) if index != 2}  # Frame 2 has no mask.


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path, sent_tasks: list[Any]) -> Path:
    settings.HOME = tmp_path / "home"
    (settings.HOME / "uploads").mkdir(parents=True)
    return settings.HOME


@pytest.fixture
def video(project: Project, owner: User) -> Video:
    """Create a video with masks of three objects, of which two have a label."""
    made = make_video(project, owner)
    fish = Label.objects.create(project=project, name="Fish", color="#112233", position=1)
    Object.objects.filter(video=made, number__in=(1, 254)).update(label=fish)
    Object.objects.filter(video=made, number=2).update(absent=[[1, 2]], color="#0a0b0c")
    add_round(made, MASKS)
    return made


@pytest.fixture
def twin(video: Video) -> Video:
    """Create a video with the frames of `video`, and without objects and masks."""
    made = make_video(video.project, video.created_by, name="Twin")
    Object.objects.filter(video=made).delete()
    return made
