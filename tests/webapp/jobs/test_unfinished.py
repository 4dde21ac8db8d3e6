"""Tests of what is left to do in a job, and of which frames a person has looked at."""

from __future__ import annotations

from tests.webapp.annotation.test_undo import done
from tests.webapp.conftest import accept
from tests.webapp.jobs.conftest import do, job_of
from webapp.accounts.models import User
from webapp.annotation.absence import mark_absent
from webapp.annotation.models import Mask
from webapp.annotation.objects import add_object
from webapp.annotation.pins import NewPin, add_pin
from webapp.jobs.looked import Gaze, add_looked, looked_at
from webapp.jobs.models import Job
from webapp.jobs.unfinished import unfinished
from webapp.videos.models import Video


def test_it_lists_what_is_left_in_the_frames_of_the_job(video: Video, annotator: User, reviewer: User) -> None:
    Job.objects.update(last=5, assignee=annotator)
    made = done(video, annotator, None, [0, 1, 2, 3])
    Mask.objects.filter(round=made).update(confidence=[0.9])
    Mask.objects.filter(round=made, frame__in=[1, 3]).update(confidence=[0.5])
    accept(video, reviewer, 0, 1)
    add_looked(video_id=video.pk, user_id=annotator.pk, frames=[0, 2, 7])
    pin = add_pin(video=video, author=reviewer, pin=NewPin(2, "Here."))
    add_pin(video=video, author=reviewer, pin=NewPin(7, "Outside of the job."))
    left = unfinished(job_of(video))
    assert (left.frames, left.not_accepted, left.no_mask) == (6, [(2, 5)], [(4, 5)])
    assert (left.not_looked_at, left.unsure, left.open_pins) == ([(3, 5)], [(3, 3)], [pin.pk])


def test_an_object_that_is_gone_is_lost_until_somebody_marks_it_absent(video: Video, owner: User) -> None:
    add_object(video=video, author=owner)
    first = done(video, owner, None, [0, 1, 2, 3, 4], label=2)
    done(video, owner, first.pk, [2, 3], label=1)
    left = unfinished(job_of(video))
    assert [(gap.object, gap.spans) for gap in left.lost] == [(1, [(4, 4)]), (2, [(2, 3)])]
    mark_absent(video=video, object_id=2, first=2, last=2, absent=True)
    assert [(gap.object, gap.spans) for gap in unfinished(job_of(video)).lost][1:] == [(2, [(3, 3)])]


def test_the_frames_between_two_are_looked_at_while_the_video_plays() -> None:
    gaze = Gaze(fps=10)
    for frame, now in ((0, 0.0), (3, 0.3), (20, 0.6), (17, 1.2), (30, 5.0)):
        gaze.look(frame, now)
    assert gaze.take() == {0, 1, 2, 3, 17, 18, 19, 20, 30}
    assert gaze.take() == set()


def test_what_a_person_looked_at_adds_up(video: Video, annotator: User, reviewer: User) -> None:
    for frames in ([1, 2, 3], [3, 7], [5]):
        add_looked(video_id=video.pk, user_id=annotator.pk, frames=frames)
    assert looked_at(video.pk, annotator.pk) == {1, 2, 3, 5, 7}
    assert looked_at(video.pk, reviewer.pk) == looked_at(video.pk, None) == set()


def test_after_a_review_only_newer_masks_have_changed(video: Video, annotator: User, reviewer: User) -> None:
    job = job_of(video)
    Job.objects.update(assignee=annotator, reviewer=reviewer)
    first = done(video, annotator, None, [0, 1, 2])
    do(annotator, job, "start", "submit")
    assert unfinished(job_of(video)).changed == [(0, 2)]
    do(reviewer, job, "reject")
    assert unfinished(job_of(video)).changed == []
    done(video, annotator, first.pk, [1, 4])
    assert unfinished(job_of(video)).changed == [(1, 1), (4, 4)]
