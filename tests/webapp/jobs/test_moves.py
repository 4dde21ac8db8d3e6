"""Tests of moves of jobs: who may make them, what happens if two people make one at once, and what is logged."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.webapp.conftest import make_video
from tests.webapp.jobs.conftest import at, do, job_of
from webapp.accounts.models import User
from webapp.annotation.models import Change, Pin
from webapp.audit.models import AuditEntry
from webapp.jobs.describe import job_info
from webapp.jobs.models import Job, JobEvent
from webapp.jobs.moves import move_job, start_by_work
from webapp.jobs.states import Action
from webapp.notifications.models import Notification
from webapp.problems import Forbidden, NotFound, Problem
from webapp.projects.models import Membership, Project, Role
from webapp.videos.models import Video


@pytest.fixture
def job(video: Video, annotator: User, reviewer: User) -> Job:
    """Give the video's job to the annotator, with the reviewer as its reviewer, and return it."""
    job = job_of(video)
    job.assignee, job.reviewer = annotator, reviewer
    job.save()
    return job


def test_a_ready_video_has_one_job_of_all_its_frames(video: Video) -> None:
    job = job_of(video)
    assert (job.first, job.last, at(job)) == (0, 7, ("annotation", "new"))


def test_a_job_goes_from_new_to_accepted(job: Job, annotator: User, reviewer: User) -> None:
    do(annotator, job, "start", "submit")
    assert (at(job), job.attempts) == (("validation", "new"), 1)
    do(reviewer, job, "start", "reject")
    assert at(job) == ("annotation", "rejected")
    do(annotator, job, "start", "submit")
    do(reviewer, job, "accept")
    assert (at(job), job.attempts) == (("acceptance", "completed"), 2)
    logged = JobEvent.objects.filter(job=job).values_list("action", "by__username", "to_state")
    assert list(logged)[2:5] == [
        ("start", "reviewer", "in_progress"),
        ("reject", "reviewer", "rejected"),
        ("start", "annotator", "in_progress"),
    ]
    kinds = Notification.objects.order_by("pk").values_list("user__username", "kind")
    assert list(kinds) == [
        ("reviewer", "to_review"),
        ("annotator", "sent_back"),
        ("reviewer", "to_review"),
        ("annotator", "accepted"),
    ]
    links = set(Notification.objects.values_list("link", flat=True))
    assert links == {f"/videos/{job.video_id}?job={job.pk}"}
    entry = AuditEntry.objects.filter(kind="job").latest("pk")
    assert (entry.who, entry.action, entry.details["after"]) == (reviewer, "job.accept", "acceptance completed")
    assert Change.objects.filter(video=job.video, message__type="jobs.changed").count() == 7


def test_what_is_written_with_a_move_is_shown_to_the_next_person(job: Job, annotator: User, reviewer: User) -> None:
    do(annotator, job, "start")
    do(annotator, job, "submit", note="The paw is blurred.")
    seen = job_info(reviewer, job.pk).note
    assert seen is not None
    assert (seen.text, seen.by and seen.by.id) == ("The paw is blurred.", annotator.pk)
    assert Notification.objects.latest("pk").text.endswith(" waits for your review: The paw is blurred.")

    do(reviewer, job, "reject", note="legs\n" * 200)
    text = Notification.objects.latest("pk").text
    assert (text[-1], len(text)) == ("…", 400)
    do(annotator, job, "start")
    seen = job_info(annotator, job.pk).note
    assert seen is not None, "the note stays while its annotator works"
    assert seen.by is not None
    assert seen.by.id == reviewer.pk
    do(annotator, job, "submit")
    assert job_info(reviewer, job.pk).note is None  # It was about the masks before.


def test_a_job_that_nobody_reviews_is_complete_when_it_is_submitted(video: Video, annotator: User) -> None:
    job = do(annotator, job_of(video), "start", "submit")
    assert at(job) == ("annotation", "completed")
    do(annotator, job, "reopen")
    Project.objects.update(review=True)
    assert at(do(annotator, job, "submit")) == ("validation", "new")


def test_a_submission_and_a_decision_can_be_taken_back(job: Job, annotator: User, reviewer: User) -> None:
    do(annotator, job, "start", "submit", "reopen")
    assert at(job) == ("annotation", "in_progress")
    do(annotator, job, "submit")
    do(reviewer, job, "start")
    with pytest.raises(Problem) as refused:  # Somebody looks at it already.
        do(annotator, job, "reopen")
    assert refused.value.code == "wrong_state"
    do(reviewer, job, "reject", "retract")
    assert at(job) == ("validation", "in_progress")


def test_of_two_reviewers_at_once_the_second_is_told_how_the_job_stands(
    job: Job, annotator: User, reviewer: User, owner: User, client_as: Callable[[User | None], Client]
) -> None:
    do(annotator, job, "start", "submit")
    body = {"action": "accept", "edition": job.edition}
    first = client_as(reviewer).post(f"/api/jobs/{job.pk}/moves", body, "application/json")
    assert (first.status_code, first.json()["stage"]) == (200, "acceptance")
    body["action"] = "reject"
    second = client_as(owner).post(f"/api/jobs/{job.pk}/moves", body, "application/json")
    assert (second.status_code, second.json()["code"]) == (409, "job_changed")
    assert second.json()["job"]["stage"] == "acceptance"
    assert at(job) == ("acceptance", "completed")


def test_a_move_that_the_state_does_not_allow_changes_nothing(job: Job, annotator: User, reviewer: User) -> None:
    for user, action in ((annotator, "submit"), (reviewer, "accept"), (reviewer, "retract")):
        with pytest.raises(Problem) as refused:
            do(user, job, action)
        assert (refused.value.code, refused.value.status) == ("wrong_state", 409)
        assert "new in annotation" in refused.value.text
    assert JobEvent.objects.count() == 0


def test_only_those_whose_turn_it_is_move_a_job(
    job: Job, annotator: User, reviewer: User, viewer: User, stranger: User
) -> None:
    with pytest.raises(Forbidden, match="the job of Annotator"):
        do(reviewer, job, "submit")
    with pytest.raises(Forbidden, match="reviewed by Reviewer"):
        do(annotator, job, "accept")
    with pytest.raises(Forbidden):
        do(viewer, job, "start")
    with pytest.raises(NotFound):
        do(stranger, job, "start")


def test_nobody_reviews_their_own_work(video: Video, reviewer: User) -> None:
    job = job_of(video)
    job.assignee = job.reviewer = reviewer
    job.save()
    do(reviewer, job, "start", "submit")
    with pytest.raises(Forbidden):
        do(reviewer, job, "accept")


def test_the_first_work_on_its_frames_starts_a_job(
    video: Video, annotator: User, owner: User, project: Project
) -> None:
    other = job_of(make_video(project, owner))
    job = job_of(video)
    job.assignee, job.last = annotator, 3
    job.save()
    Job.objects.create(video=video, first=4, last=7, position=1)
    start_by_work(video_id=video.pk, by=owner, frames=(0, 0))
    assert at(job) == ("annotation", "new")  # It is somebody else's.
    start_by_work(video_id=video.pk, by=annotator, frames=(3, 3))
    started = [job.position for job in Job.objects.filter(video=video, state="in_progress")]
    assert (started, at(other)) == ([0], ("annotation", "new"))
    assert JobEvent.objects.get().by == annotator


def test_the_jobs_of_a_person_who_leaves_go_back_into_the_pool(job: Job, annotator: User, reviewer: User) -> None:
    edition = job.edition
    Membership.objects.get(user=annotator).delete()
    job.refresh_from_db()
    assert (job.assignee, job.reviewer, job.edition) == (None, reviewer, edition + 1)
    with pytest.raises(NotFound):
        move_job(by=annotator, job_id=job.pk, action=Action.START, edition=job.edition)


def test_a_job_is_sent_back_with_its_pins_or_not_at_all(
    job: Job, annotator: User, reviewer: User, client_as: Callable[[User | None], Client]
) -> None:
    Job.objects.filter(pk=job.pk).update(last=5)
    do(annotator, job, "start", "submit")
    client, address = client_as(reviewer), f"/api/jobs/{job.pk}/moves"
    body = {"action": "reject", "edition": job.edition, "note": "Two places."}
    pins = [{"frame": 1, "text": "A"}, {"frame": 6, "text": "B"}]
    outside = client.post(address, {**body, "pins": pins}, "application/json")
    assert (outside.status_code, outside.json()["code"]) == (400, "bad_pins")
    assert (Pin.objects.count(), at(job)) == (0, ("validation", "new"))
    pins = [{"frame": 1, "text": "The tail."}, {"frame": 5, "object": 1, "reason": "Wrong object"}]
    sent = client.post(address, {**body, "pins": pins}, "application/json")
    assert (sent.status_code, sent.json()["state"]) == (200, "rejected")
    assert list(Pin.objects.values_list("frame", "job", "author")) == [
        (1, job.pk, reviewer.pk),
        (5, job.pk, reviewer.pk),
    ]
    accepted = client.post(address, {**body, "action": "accept", "pins": pins}, "application/json")
    assert accepted.status_code == 409


def test_a_note_of_spaces_alone_is_no_note(
    job: Job, annotator: User, reviewer: User, client_as: Callable[[User | None], Client]
) -> None:
    do(annotator, job, "start", "submit")
    body = {"action": "reject", "edition": job.edition, "note": " \n "}
    sent = client_as(reviewer).post(f"/api/jobs/{job.pk}/moves", body, "application/json")
    assert (sent.status_code, sent.json()["note"]) == (200, None)
    assert JobEvent.objects.filter(job=job, action="reject").get().note == ""


def test_who_is_no_reviewer_any_more_does_not_review(job: Job, annotator: User, reviewer: User) -> None:
    do(annotator, job, "start", "submit")
    Membership.objects.filter(user=reviewer).update(role=Role.ANNOTATOR)
    with pytest.raises(Forbidden):
        do(reviewer, job, "accept")
    assert at(job) == ("validation", "new")
