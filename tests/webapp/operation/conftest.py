"""Provides the fixture `site`: a data folder and a database with a video, its files, a round and a finished export."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.webapp.conftest import make_video, run, some_mask
from webapp.accounts.models import User
from webapp.annotation.claims import claim, finish, store
from webapp.annotation.export.files import export_path
from webapp.annotation.models import Export, ExportState, Round
from webapp.annotation.objects import add_object
from webapp.projects.models import Project
from webapp.videos.frame_hashes import store_hashes
from webapp.videos.frame_writer import FrameWriter, SourceFrame
from webapp.videos.models import Video
from webapp.videos.storage import folder_of


@dataclass
class Site:
    home: Path
    video: Video
    round: Round
    export: Export


@pytest.fixture
def site(
    transactional_db: None, settings: Any, tmp_path: Path, project: Project, owner: User, sent_tasks: list[Any]
) -> Site:
    settings.HOME = tmp_path / "home"
    settings.HOME.mkdir()
    video = make_video(project, owner)
    add_object(video=video, author=owner)
    folder = folder_of(video.pk)
    folder.make()
    random = np.random.default_rng(1)
    with FrameWriter(folder) as writer:
        for index in range(video.frame_count):
            picture = random.integers(0, 256, (video.height, video.width, 3), np.uint8)
            truth = np.full((video.height, video.width), index % 2, np.uint8)
            writer.add(SourceFrame(picture, truth=truth))
    Video.objects.filter(pk=video.pk).update(truth_frames=writer.written.truth_frames)
    store_hashes(video.pk, writer.written.hashes)
    made = run(video, owner, None)
    claimed = claim(made.pk, worker="test")
    assert claimed is not None
    store(claimed, [some_mask(frame) for frame in range(video.frame_count)])
    finish(claimed, complete=True)
    export = Export.objects.create(
        video=video, round=made, format="davis", author=owner, state=ExportState.DONE, size_bytes=4
    )
    export_path(export.pk).parent.mkdir()
    export_path(export.pk).write_bytes(b"data")
    (settings.HOME / "weights").mkdir()
    (settings.HOME / "weights" / "stm.pth").write_bytes(b"weights")
    video.refresh_from_db()
    return Site(settings.HOME, video, made, export)
