"""Tests of cutting a video into jobs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.webapp.jobs.conftest import do, job_of
from webapp.accounts.models import User
from webapp.jobs.cutting import cut_video, ranges_at_cuts, ranges_by_length
from webapp.jobs.models import Job
from webapp.problems import Problem
from webapp.videos.models import Video


@pytest.mark.parametrize(
    ("frames", "length", "overlap", "wanted"),
    [
        (8, 3, 0, [(0, 2), (3, 5), (6, 7)]),
        (8, 4, 1, [(0, 3), (3, 6), (6, 7)]),
        (8, 8, 0, [(0, 7)]),
        (8, 99, 5, [(0, 7)]),
        (7, 4, 1, [(0, 3), (3, 6)]),
    ],
)
def test_ranges_of_one_length_cover_the_video(
    frames: int, length: int, overlap: int, wanted: list[tuple[int, int]]
) -> None:
    assert ranges_by_length(frames, length, overlap) == wanted


def test_ranges_at_cuts_are_the_scenes() -> None:
    assert ranges_at_cuts(8, [3, 6], 0) == [(0, 2), (3, 5), (6, 7)]
    assert ranges_at_cuts(8, [3, 6], 1) == [(0, 2), (2, 5), (5, 7)]
    assert ranges_at_cuts(8, [], 2) == [(0, 7)]


def test_a_cut_video_keeps_its_people(video: Video, owner: User, annotator: User) -> None:
    Job.objects.update(assignee=annotator, priority=2)
    made = cut_video(by=owner, video_id=video.pk, length=3)
    assert [(job.first, job.last, job.assignee, job.priority) for job in made] == [
        (0, 2, annotator, 2),
        (3, 5, annotator, 2),
        (6, 7, annotator, 2),
    ]


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ({"ranges": [(0, 3), (3, 7)]}, "overlap by 1 frames"),
        ({"ranges": [(0, 7), (2, 3)], "overlap": 8}, "overlap by 6 frames"),
        ({"ranges": [(0, 8)]}, "frames 0 to 7; the range 0 to 8 leaves it"),
        ({"ranges": [(5, 4)]}, "leaves it"),
        ({"length": 2, "overlap": 2}, "longer"),
        ({"length": 2, "at_cuts": True}, "either"),
        ({}, "either"),
    ],
)
def test_ranges_that_overlap_or_leave_the_video_are_refused(
    video: Video, owner: User, how: dict[str, Any], text: str
) -> None:
    with pytest.raises(Problem, match=text) as refused:
        cut_video(by=owner, video_id=video.pk, **how)
    assert refused.value.code == "bad_ranges"
    assert job_of(video).last == 7


def test_a_video_on_which_somebody_works_is_not_cut(video: Video, owner: User) -> None:
    do(owner, job_of(video), "start")
    with pytest.raises(Problem) as refused:
        cut_video(by=owner, video_id=video.pk, length=3)
    assert (refused.value.code, refused.value.status) == ("work_begun", 409)
    assert job_of(video).state == "in_progress"
