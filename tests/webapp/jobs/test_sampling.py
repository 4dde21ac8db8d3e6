"""Tests of choosing at random some of the finished jobs, or some frames of each, and of sending them to review."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.conftest import make_user
from tests.webapp.conftest import make_video
from tests.webapp.jobs.conftest import at, do, job_of
from webapp.accounts.models import User
from webapp.jobs.describe import job_info
from webapp.jobs.models import Job
from webapp.jobs.sampling import draw, draw_frames, draw_sample
from webapp.projects.models import Membership, Project, Role


def test_every_item_is_drawn_as_often_as_any_other() -> None:
    chance = random.Random(7)
    drawn = Counter(item for _ in range(3000) for item in draw("abcde", 0.3, chance))
    assert all(abs(count - 900) < 100 for count in drawn.values()), drawn
    assert [len(draw("abcd", share, chance)) for share in (0.5, 1.0)] == [2, 4]


def test_frames_are_spread_over_the_job() -> None:
    chance = random.Random(7)
    for _ in range(50):
        frames = draw_frames(10, 49, 0.1, chance)
        assert [(frame - 10) // 10 for frame in frames] == [0, 1, 2, 3]
    assert draw_frames(3, 3, 0.01, chance) == [3]
    assert draw_frames(0, 4, 1.0, chance) == [0, 1, 2, 3, 4]


def test_each_annotator_is_sampled_alike_and_the_seed_draws_the_same(
    project: Project, manager: User, annotator: User, reviewer: User
) -> None:
    second = make_user("second")
    Membership.objects.create(project=project, user=second, role=Role.ANNOTATOR)
    for index in range(8):
        Job.objects.filter(pk=job_of(make_video(project, manager)).pk).update(
            assignee=annotator if index < 4 else second, state="completed"
        )
    untouched = job_of(make_video(project, manager))
    before = list(Job.objects.order_by("pk").values_list("pk", "stage", "state"))
    asked = {"by": manager, "project_id": project.pk, "share": 0.5, "seed": 3, "reviewer_id": reviewer.pk}
    drawn = draw_sample(of="jobs", **asked)  # type: ignore[arg-type]
    assert Counter(job.assignee for job in drawn) == {annotator: 2, second: 2}
    assert {(job.stage, job.state, job.reviewer) for job in drawn} == {("validation", "new", reviewer)}
    assert at(untouched) == ("annotation", "new")
    Job.objects.filter(pk__in=[job.pk for job in drawn]).update(stage="annotation", state="completed")
    assert list(Job.objects.order_by("pk").values_list("pk", "stage", "state")) == before
    again = draw_sample(of="jobs", **asked)  # type: ignore[arg-type]
    assert [job.pk for job in again] == [job.pk for job in drawn]


@pytest.mark.parametrize("review", [True, False])
def test_a_sample_of_frames_is_for_the_reviewer_and_ends_with_the_next_submission(
    project: Project, manager: User, annotator: User, reviewer: User, review: bool
) -> None:
    Project.objects.update(review=review)
    job = job_of(make_video(project, manager))
    Job.objects.update(assignee=annotator)
    do(annotator, job, "start", "submit")
    (drawn,) = draw_sample(by=manager, project_id=project.pk, share=0.25, of="frames", seed=1)
    assert len(drawn.sample or []) == 2
    assert at(job) == ("validation", "new")
    assert job_info(reviewer, job.pk).sample == drawn.sample
    assert job_info(annotator, job.pk).sample is None
    do(reviewer, job, "reject")
    do(annotator, job, "start", "submit")
    assert job.sample is None
