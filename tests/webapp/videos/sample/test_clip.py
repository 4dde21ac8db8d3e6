"""Tests of webapp/videos/sample/clip.py, which renders the sample video of swimming koi."""

from itertools import islice

import numpy as np
import pytest

from webapp.accounts.models import User
from webapp.projects.models import Project
from webapp.videos.models import Video, VideoState
from webapp.videos.sample import clip
from webapp.videos.sample.clip import HEIGHT, WIDTH, Pond
from webapp.videos.storage import StoredFrames, read_truth


@pytest.fixture(scope="module")
def pond() -> Pond:
    return Pond()


def test_it_is_long_enough_and_of_the_right_size(pond: Pond) -> None:
    assert clip.FRAMES >= 72
    frame, labels = pond.frame(0)
    assert frame.shape == (480, 854, 3)
    assert labels.shape == (480, 854)
    assert (frame.dtype, labels.dtype) == (np.uint8, np.uint8)


def test_the_same_frame_comes_out_twice_the_same(pond: Pond) -> None:
    first, again = pond.frame(40), Pond().frame(40)
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])


def test_all_objects_can_be_scribbled_on_in_the_first_frame(pond: Pond) -> None:
    areas = np.bincount(pond.frame(0)[1].ravel(), minlength=4)
    assert len(areas) == 4
    assert areas[1:].min() > 5000


def test_the_objects_move_bend_and_cover_each_other(pond: Pond) -> None:
    maps = [pond.frame(index)[1] for index in range(0, clip.FRAMES, 5)]
    for number in (1, 2, 3):
        centres = [np.argwhere(labels == number).mean(0) for labels in maps]
        assert np.hypot(*(centres[-1] - centres[0])) > 80
    visible = {number: [int((labels == number).sum()) for labels in maps] for number in (1, 2)}
    assert min(visible[1]) < 0.8 * visible[1][0]  # The golden koi swims over koi 1.
    assert min(visible[2]) < 0.6 * visible[2][0]  # Koi 2 swims below the leaf.


def test_a_koi_bends_as_it_swims(pond: Pond) -> None:
    free = [np.argwhere(pond.frame(index)[1] == 1) for index in range(0, 20, 2)]  # before the other koi covers this koi
    assert max(map(len, free)) < 1.1 * min(map(len, free))
    shapes = [_spread(points) for points in free]
    assert max(shapes) > 1.1 * min(shapes)


def _spread(points: np.ndarray) -> float:
    """Return the smaller divided by the larger variance of the points [P, 2] along their principal axes.

    If a shape only moves and turns, this ratio stays the same.
    """
    small, large = np.linalg.eigvalsh(np.cov(points.T))
    return float(small / large)


def test_the_ground_moves_too(pond: Pond) -> None:
    first, later = (pond.frame(index)[0][300:470, 600:840].astype(float).mean(2) for index in (0, 12))
    assert np.abs(first - later).mean() > 5


def test_the_truth_lies_where_the_colours_are(pond: Pond) -> None:
    frame, labels = pond.frame(0)
    red, green, blue = (frame[..., channel].astype(float) for channel in range(3))
    assert (green - blue)[labels == 3].mean() > 60  # The leaf is green.
    assert (red - blue)[labels == 2].mean() > 60  # The second koi is golden.
    assert (red - blue)[labels == 0].mean() < 0  # The ground under water is bluish.


def test_it_is_stored_with_its_truth(project: Project, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    short = list(islice(clip.render(), 3))
    monkeypatch.setattr(clip, "render", lambda: iter(short))
    video = clip.add_sample_clip(project=project, author=owner)
    assert Video.objects.get().state == VideoState.READY
    assert (video.width, video.height, video.frame_count, video.truth_objects) == (WIDTH, HEIGHT, 3, 3)
    for index, (frame, labels) in enumerate(short):
        stored = read_truth(video, index)
        assert stored is not None
        assert np.array_equal(stored, labels)
        assert np.abs(StoredFrames(video)[index].astype(int) - frame).mean() < 4
