"""Tests of what becomes of jobs whose person leaves the project, gets a lower role, or is deactivated."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from tests.webapp.accounts.test_admin import change_members
from tests.webapp.jobs.conftest import at, do, job_of
from webapp.accounts.models import User
from webapp.accounts.signals import account_changed
from webapp.audit.models import AuditEntry
from webapp.jobs.assigning import deal, take_one
from webapp.jobs.due import notify_due
from webapp.jobs.models import Job, JobEvent
from webapp.jobs.queue import work_of
from webapp.notifications.models import Notification
from webapp.problems import Problem
from webapp.projects.members import change_role, remove
from webapp.projects.models import Project, Role
from webapp.videos.models import Video

Lose = Callable[[Project, User, User], None]


def removed(project: Project, manager: User, person: User) -> None:
    remove(by=manager, project_id=project.pk, user_id=person.pk)


def made_a_viewer(project: Project, manager: User, person: User) -> None:
    change_role(by=manager, project_id=project.pk, user_id=person.pk, role=Role.VIEWER)


def deactivated(project: Project, manager: User, person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)
    account_changed.send(None, user=person, by=manager, action="user.deactivate", details={})


def unassigned(project: Project, manager: User, person: User) -> None:
    client = Client()
    client.force_login(manager)
    job = Job.objects.get(assignee=person)
    answer = client.patch(f"/api/jobs/{job.pk}", {"edition": job.edition, "assignee": None}, "application/json")
    assert answer.status_code == 200


def changed_on_the_admin_site(project: Project, administrator: User, **roles: str) -> None:
    User.objects.filter(pk=administrator.pk).update(is_superuser=True, is_staff=True)
    client = Client()
    client.force_login(User.objects.get(pk=administrator.pk))
    assert change_members(client, project, **roles).status_code == 302


def removed_by_an_administrator(project: Project, manager: User, person: User) -> None:
    changed_on_the_admin_site(project, manager, **{person.username: ""})


def made_a_viewer_by_an_administrator(project: Project, manager: User, person: User) -> None:
    changed_on_the_admin_site(project, manager, **{person.username: Role.VIEWER})


@pytest.mark.parametrize(
    "lose",
    [
        removed,
        made_a_viewer,
        deactivated,
        unassigned,
        removed_by_an_administrator,
        made_a_viewer_by_an_administrator,
    ],
)
@pytest.mark.parametrize(
    ("actions", "then"),
    [
        ((), ("annotation", "new")),
        (("start",), ("annotation", "new")),
        (("start", "submit", "reject"), ("annotation", "rejected")),
    ],
)
def test_a_job_whose_person_is_gone_can_be_taken(
    video: Video,
    project: Project,
    manager: User,
    annotator: User,
    owner: User,
    lose: Lose,
    actions: tuple[str, ...],
    then: tuple[str, str],
) -> None:
    job = job_of(video)
    Job.objects.update(assignee=annotator, reviewer=manager)
    for action in actions:
        do(manager if action == "reject" else annotator, job, action)
    edition = job_of(video).edition
    lose(project, manager, annotator)
    assert (at(job), job.assignee, job.edition) == (then, None, edition + 1)
    assert [(pool.project, pool.jobs) for pool in work_of(owner).pools] == [(project.pk, 1)]
    entry = AuditEntry.objects.filter(action="job.assign").latest("pk")
    assert (entry.who, entry.details["assignee"]) == (manager, None)
    assert JobEvent.objects.latest("pk").details == {"assignee": None}
    assert take_one(by=owner, project_id=project.pk).pk == job.pk


def test_whoever_takes_the_job_of_somebody_who_lost_it_is_told_when_it_is_due(
    video: Video, project: Project, manager: User, annotator: User, owner: User
) -> None:
    Job.objects.update(assignee=annotator, due=timezone.localdate())
    assert notify_due() == 1
    made_a_viewer(project, manager, annotator)
    take_one(by=owner, project_id=project.pk)
    assert notify_due() == 1
    assert [bell.user for bell in Notification.objects.filter(kind="job_due").order_by("pk")] == [annotator, owner]


def test_a_job_that_is_sent_back_to_nobody_is_dealt(video: Video, project: Project, manager: User, owner: User) -> None:
    job = job_of(video)
    Job.objects.update(reviewer=manager)
    do(owner, job, "start", "submit")
    do(manager, job, "reject")
    assert [dealt.job for dealt in deal(by=manager, project_id=project.pk, people=[owner.pk])] == [job.pk]


def test_a_job_in_which_somebody_works_without_having_it_is_not_given_to_another(
    video: Video, project: Project, owner: User
) -> None:
    do(owner, job_of(video), "start")
    with pytest.raises(Problem, match="no job to take"):
        take_one(by=owner, project_id=project.pk)


def test_a_review_without_its_reviewer_is_for_all_reviewers(
    video: Video, project: Project, manager: User, annotator: User, reviewer: User, owner: User
) -> None:
    job = job_of(video)
    Job.objects.update(assignee=annotator, reviewer=reviewer)
    do(annotator, job, "start", "submit")
    do(reviewer, job, "start")
    change_role(by=manager, project_id=project.pk, user_id=reviewer.pk, role=Role.ANNOTATOR)
    assert (at(job), job.reviewer, job.assignee) == (("validation", "in_progress"), None, annotator)
    assert [review.id for review in work_of(owner).reviews] == [job.pk]


def test_finished_jobs_keep_their_people(video: Video, project: Project, manager: User, annotator: User) -> None:
    job = job_of(video)
    Job.objects.update(assignee=annotator)
    do(annotator, job, "start", "submit")
    assert at(job) == ("annotation", "completed")
    removed(project, manager, annotator)
    assert at(job) == ("annotation", "completed")
    assert job.assignee == annotator


def test_a_project_that_is_deleted_for_good_takes_its_jobs_along(
    video: Video, project: Project, annotator: User
) -> None:
    Job.objects.update(assignee=annotator)
    project.delete()
    assert not Job.objects.exists()
