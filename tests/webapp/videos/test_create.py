"""Tests of creating a video from arrays, and of reading back its stored frames and ground truth."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from tests.webapp.videos.clips import stored_truth
from webapp.accounts.models import User
from webapp.projects.models import Project
from webapp.videos import importing
from webapp.videos.create import create_video
from webapp.videos.import_queue import cancel_import
from webapp.videos.models import Video, VideoState
from webapp.videos.refusal import Refused
from webapp.videos.storage import RgbFrame, StoredFrames, folder_of, read_truth, videos_root


def plain(count: int, height: int = 33, width: int = 47) -> Iterator[RgbFrame]:
    for index in range(count):
        yield np.full((height, width, 3), (index * 10, 255 - index * 10, 128), np.uint8)


def test_it_stores_frames_thumbnails_and_truth_by_index(project: Project, owner: User) -> None:
    labels = np.zeros((33, 47), np.uint8)
    labels[3:9, 4:20] = 7
    labels[20:, :] = 255
    video = create_video(
        project=project, name="Fish", frames=plain(5), author=owner, truth=[None, labels, None], fps=12.5
    )
    assert (video.width, video.height, video.frame_count, video.fps) == (47, 33, 5, 12.5)
    assert (video.state, video.truth_frames, video.truth_objects) == (VideoState.READY, [1], 7)
    frames = StoredFrames(video)
    for index, expected in enumerate(plain(5)):
        assert np.abs(frames[index].astype(int) - expected.astype(int)).max() <= 4
        assert folder_of(video.pk).thumb(index).stat().st_size > 0
    assert np.array_equal(stored_truth(video, 1), labels)
    assert read_truth(video, 2) is None
    on_disk = sum(path.stat().st_size for path in folder_of(video.pk).root.rglob("*") if path.is_file())
    assert video.size_bytes == on_disk


def test_it_names_the_range_when_a_frame_is_outside(project: Project, owner: User) -> None:
    frames = StoredFrames(create_video(project=project, name="Fish", frames=plain(2), author=owner))
    with pytest.raises(IndexError, match=r"frame 2 is outside 0\.\.1"):
        frames[2]


@pytest.mark.parametrize("wrong", ["size", "none", "mask"])
def test_it_leaves_nothing_when_frames_are_refused(project: Project, owner: User, wrong: str) -> None:
    frames: list[RgbFrame] = [] if wrong == "none" else [*plain(3)]
    if wrong == "size":
        frames += plain(1, height=34)
    truth = [np.zeros((9, 9), np.uint8)] if wrong == "mask" else []
    with pytest.raises(Refused):
        create_video(project=project, name="Fish", frames=frames, author=owner, truth=truth)
    assert not Video.objects.exists()
    assert not videos_root().exists() or not list(videos_root().iterdir())


def test_somebody_may_cancel_it_in_the_studio(project: Project, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BEAT_SECONDS", 0)

    def frames() -> Iterator[RgbFrame]:
        yield from plain(2)
        cancel_import(video=Video.objects.get())
        yield from plain(2)

    with pytest.raises(Refused, match="cancelled the import of Fish"):
        create_video(project=project, name="Fish", frames=frames(), author=owner)
    assert not Video.objects.exists()
    assert not list(videos_root().iterdir())
