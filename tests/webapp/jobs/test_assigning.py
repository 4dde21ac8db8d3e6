"""Tests of assigning jobs, of dealing many, of taking one, and of lists and queues of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.conftest import make_user
from tests.webapp.conftest import make_video
from tests.webapp.jobs.conftest import job_of
from webapp.accounts.models import User
from webapp.audit.models import AuditEntry
from webapp.jobs.assigning import deal, take_one
from webapp.jobs.due import notify_due
from webapp.jobs.models import Job
from webapp.jobs.queue import work_of
from webapp.notifications.models import Notification
from webapp.problems import NotFound, Problem
from webapp.projects.models import Membership, Project, Role
from webapp.videos.models import Video

JSON = "application/json"


@pytest.fixture
def client(client_as: Callable[[User | None], Client], manager: User) -> Client:
    return client_as(manager)


def patch(client: Client, job: Job, **changed: Any) -> Any:
    job.refresh_from_db()
    return client.patch(f"/api/jobs/{job.pk}", {"edition": job.edition, **changed}, JSON)


def test_a_manager_assigns_and_takes_away(client: Client, video: Video, annotator: User, reviewer: User) -> None:
    job = job_of(video)
    day = timezone.localdate() + timedelta(days=3)
    answer = patch(client, job, assignee=annotator.pk, reviewer=reviewer.pk, priority=2, due=day.isoformat())
    info = answer.json()
    assert (info["assignee"], info["reviewer"]["id"]) == ({"id": annotator.pk, "name": "Annotator"}, reviewer.pk)
    assert (info["priority"], info["due"], info["edition"]) == (2, day.isoformat(), job.edition + 1)
    info = patch(client, job, assignee=None, due=None, priority=None).json()
    assert (info["assignee"], info["due"], info["priority"]) == (None, None, 2)
    (first, second) = client.get(f"/api/jobs/{job.pk}/events").json()
    assert (first["action"], first["details"]["assignee"]) == ("assign", annotator.pk)
    assert second["details"] == {"assignee": None, "due": None}
    assert patch(client, job, due=None).json()["edition"] == job.edition, "nothing changed, so nothing is written down"
    logged = AuditEntry.objects.get(action="job.assign", details__has_key="priority").details
    assert (logged["assignee"], logged["reviewer"]) == ("Annotator", "Reviewer"), "people are named, not numbered"


def test_what_cannot_be_assigned_is_refused_and_changes_nothing(
    client: Client, video: Video, viewer: User, annotator: User, stranger: User
) -> None:
    job = job_of(video)
    before = Job.objects.values().get()
    yesterday = (timezone.localdate() - timedelta(days=1)).isoformat()
    cases: list[tuple[dict[str, Any], int, str, str]] = [
        ({"assignee": stranger.pk}, 400, "not_a_member", "assignee"),
        ({"assignee": viewer.pk}, 400, "not_an_annotator", "assignee"),
        ({"reviewer": annotator.pk}, 400, "not_a_reviewer", "reviewer"),
        ({"due": yesterday}, 400, "due_in_past", "due"),
        ({"priority": 10}, 422, "invalid", "body.priority"),
    ]
    for changed, status, code, field in cases:
        answer = patch(client, job, **changed)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["field"].endswith(field)
    old = client.patch(f"/api/jobs/{job.pk}", {"edition": 0, "priority": 1}, JSON)
    assert (old.status_code, old.json()["code"], old.json()["job"]["edition"]) == (409, "job_changed", 1)
    assert Job.objects.values().get() == before


def test_many_jobs_are_dealt_evenly_and_the_rest_stays(project: Project, manager: User, annotator: User) -> None:
    second = make_user("second")
    Membership.objects.create(project=project, user=second, role=Role.ANNOTATOR)
    videos = [make_video(project, manager) for _ in range(7)]
    Job.objects.filter(video=videos[0]).update(assignee=second)
    people = [annotator.pk, second.pk]
    dealt = deal(by=manager, project_id=project.pk, people=people, videos=[video.pk for video in videos], most_open=3)
    assert Counter(job.assignee for job in dealt) == {annotator.pk: 3, second.pk: 2}
    assert Job.objects.filter(assignee=None).count() == 1
    told = Notification.objects.order_by("user").values_list("user", "text")
    assert list(told) == [(annotator.pk, "You got 3 jobs in Reef."), (second.pk, "You got 2 jobs in Reef.")]
    assert deal(by=manager, project_id=project.pk, people=people, most_open=3) == []
    with pytest.raises(Problem) as refused:
        deal(by=manager, project_id=project.pk, people=[annotator.pk, 0])
    assert refused.value.code == "not_a_member"


def test_a_person_takes_the_most_urgent_job_that_nobody_has(video: Video, annotator: User, project: Project) -> None:
    urgent = job_of(make_video(project, annotator))
    Job.objects.filter(pk=urgent.pk).update(priority=5)
    taken = [take_one(by=annotator, project_id=project.pk).pk for _ in range(2)]
    assert taken == [urgent.pk, job_of(video).pk]
    with pytest.raises(Problem) as refused:
        take_one(by=annotator, project_id=project.pk)
    assert (refused.value.code, refused.value.status) == ("pool_empty", 409)


def test_a_queue_begins_with_what_was_sent_back(project: Project, annotator: User, reviewer: User) -> None:
    jobs = [job_of(make_video(project, annotator)) for _ in range(6)]
    new, urgent, begun, back, done, free = jobs
    Job.objects.exclude(pk=free.pk).update(assignee=annotator)
    Job.objects.filter(pk=urgent.pk).update(priority=1)
    Job.objects.filter(pk=begun.pk).update(state="in_progress")
    Job.objects.filter(pk=back.pk).update(state="rejected")
    Job.objects.filter(pk=done.pk).update(stage="validation")
    work = work_of(annotator)
    assert [job.id for job in work.jobs] == [back.pk, begun.pk, urgent.pk, new.pk]
    assert (work.reviews, [(pool.project, pool.jobs) for pool in work.pools]) == ([], [(project.pk, 1)])
    assert [job.id for job in work_of(reviewer).reviews] == [done.pk]
    part = work_of(annotator, 2)
    assert ([job.id for job in part.jobs], part.job_count) == ([back.pk, begun.pk], 4)
    assert (part.next_jobs, part.next_reviews, part.next_pools) == (begun.pk, None, None)
    rest = work_of(annotator, 2, jobs_after=part.next_jobs, pools_after=project.pk)
    assert ([job.id for job in rest.jobs], rest.pools, rest.next_jobs) == ([urgent.pk, new.pk], [], None)
    with pytest.raises(NotFound):
        work_of(annotator, pools_after=project.pk + 1)


def test_jobs_of_archived_videos_are_not_in_the_queue_of_a_person(
    project: Project, annotator: User, reviewer: User
) -> None:
    jobs = [job_of(make_video(project, annotator)) for _ in range(4)]
    kept, kept_review, archived, archived_review = jobs
    Job.objects.update(assignee=annotator, due=timezone.localdate())
    Job.objects.filter(pk__in=[kept_review.pk, archived_review.pk]).update(stage="validation")
    Video.objects.filter(pk__in=[archived.video_id, archived_review.video_id]).update(archived_at=timezone.now())
    assert [job.id for job in work_of(annotator).jobs] == [kept.pk]
    assert [job.id for job in work_of(reviewer).reviews] == [kept_review.pk]
    assert notify_due() == 1, "nobody is told that a job of an archived video is due"
    Video.objects.update(archived_at=None)
    assert [job.id for job in work_of(annotator).jobs] == [kept.pk, archived.pk]
    assert notify_due() == 1, "it is told when the video is back"


@pytest.mark.parametrize("order", ["queue", "due", "-updated", "id", "quality"])
def test_a_list_of_jobs_comes_in_parts(client: Client, project: Project, manager: User, order: str) -> None:
    jobs = [job_of(make_video(project, manager)) for _ in range(7)]
    today = timezone.localdate()
    for index, job in enumerate(jobs):
        due = today + timedelta(days=index % 2) if index < 4 else None
        scored = {"jf": None if index % 2 else 1 - index / 10, "flagged": index == 5}
        Job.objects.filter(pk=job.pk).update(priority=index % 3, due=due, **scored)
    whole = client.get(f"/api/jobs?project={project.pk}&order={order}").json()
    assert whole["next"] is None
    found: list[int] = []
    after = ""
    while True:
        part = client.get(f"/api/jobs?project={project.pk}&order={order}&limit=2{after}").json()
        found += [job["id"] for job in part["jobs"]]
        if part["next"] is None:
            break
        after = f"&after={part['next']}"
    assert found == [job["id"] for job in whole["jobs"]]
    assert sorted(found) == sorted(job.pk for job in jobs)
    if order == "quality":  # Flagged, then from the lowest J&F, then those without one.
        assert found == [jobs[index].pk for index in (5, 6, 4, 2, 0, 1, 3)]


def test_a_list_does_not_begin_after_a_job_that_the_person_may_not_see(
    client: Client, project: Project, manager: User, stranger: User
) -> None:
    other = Project.objects.create(name="Lake", created_by=manager)
    Membership.objects.create(project=other, user=manager, role=Role.MANAGER)
    hidden = job_of(make_video(stranger.memberships.get().project, stranger))
    elsewhere = job_of(make_video(other, manager))
    job_of(make_video(project, manager))
    assert client.get(f"/api/jobs?after={hidden.pk}").status_code == 404
    assert client.get(f"/api/jobs?after={elsewhere.pk}").status_code == 200
    assert client.get(f"/api/jobs?project={project.pk}&order=quality&after={elsewhere.pk}").status_code == 404


def test_only_reviewers_sort_the_jobs_of_a_project_by_quality(
    client_as: Callable[[User | None], Client], project: Project, annotator: User, reviewer: User
) -> None:
    for user, project_id, status in ((annotator, project.pk, 403), (reviewer, project.pk, 200), (reviewer, "", 400)):
        query = {"order": "quality", **({"project": project_id} if project_id else {})}
        assert client_as(user).get("/api/jobs", query).status_code == status


def test_a_list_of_jobs_is_filtered(client: Client, video: Video, manager: User, annotator: User) -> None:
    def count(**wanted: Any) -> int:
        return len(client.get("/api/jobs", wanted).json()["jobs"])

    Job.objects.update(assignee=annotator, due=timezone.localdate())
    assert count(video=video.pk, assignee=annotator.pk, state="new", stage="annotation") == 1
    assert count(due=timezone.localdate().isoformat()) == 1
    assert count(due=(timezone.localdate() - timedelta(days=1)).isoformat()) == 0
    assert [count(assignee="none"), count(assignee="me"), count(state="rejected")] == [0, 0, 0]
    assert client.get("/api/jobs", {"after": 0}).status_code == 404
    assert client.get("/api/jobs", {"video": 0}).status_code == 404


def test_people_are_told_once_that_a_job_is_due(client: Client, video: Video, annotator: User) -> None:
    job, today = job_of(video), timezone.localdate()
    patch(client, job, assignee=annotator.pk, due=(today + timedelta(days=2)).isoformat())
    assert notify_due() == 0
    patch(client, job, due=(today + timedelta(days=1)).isoformat())
    assert [notify_due(), notify_due()] == [1, 0]
    told = Notification.objects.filter(kind__in=("job_due", "assigned"))
    assert {bell.link for bell in told} == {f"/videos/{job.video_id}?job={job.pk}"}
    told = Notification.objects.filter(kind="job_due")
    assert [(bell.user, bell.text) for bell in told] == [
        (annotator, f"reef.mp4 is due on {today + timedelta(days=1)}.")
    ]
    patch(client, job, due=today.isoformat())
    assert notify_due() == 1
    Job.objects.update(due=today - timedelta(days=1), due_told=False, stage="validation")
    assert notify_due() == 0


def test_nobody_is_told_of_the_jobs_of_a_project_in_the_trash(video: Video, annotator: User) -> None:
    Job.objects.update(assignee=annotator, due=timezone.localdate())
    Project.objects.update(deleted_at=timezone.now())
    assert notify_due() == 0
    Project.objects.update(deleted_at=None)
    assert notify_due() == 1
