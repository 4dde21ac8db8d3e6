"""Creates the first job of a video when it becomes ready, and takes jobs from people who cannot do them any more.

These are people who leave the project, whose role there becomes too low, or whose account is deactivated.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from webapp.accounts.models import User
from webapp.accounts.signals import account_changed
from webapp.annotation.head import hold_all
from webapp.jobs.models import Job, JobState
from webapp.jobs.moves import PEOPLE, save, take_from
from webapp.jobs.states import place_of
from webapp.projects.access import allows
from webapp.projects.models import Membership, Role
from webapp.videos.models import Video, VideoState, became_ready


@receiver(became_ready, sender=Video)
def create_first_job(sender: type[Video], video: Video, **_: Any) -> None:
    """Create the job of a whole video, unless it has a job."""
    if video.frame_count and not Job.objects.filter(video=video).exists():
        Job.objects.create(video=video, first=0, last=video.frame_count - 1)


@receiver(post_save, sender=Video)
def create_job_of_a_ready_row(sender: type[Video], instance: Video, created: bool, **_: Any) -> None:
    """Create the job of a video whose row was inserted as ready, as a copy is."""
    if created and instance.state == VideoState.READY:
        create_first_job(Video, instance)


@receiver(post_delete, sender=Membership)
def take_jobs_from_leavers(sender: type[Membership], instance: Membership, origin: object = None, **_: Any) -> None:
    """Take the unfinished jobs and reviews in a project from a person who is no member of it any more."""
    if getattr(origin, "model", type(origin)) is Membership:  # Otherwise the whole project is deleted, or the account.
        _take(Job.objects.filter(video__project_id=instance.project_id), instance.user, instance.changed_by, PEOPLE)


@receiver(post_save, sender=Membership)
def take_jobs_that_need_a_higher_role(sender: type[Membership], instance: Membership, created: bool, **_: Any) -> None:
    """Take the unfinished jobs or reviews in a project from a person whose role does not allow them any more."""
    needed = {"assignee": Role.ANNOTATOR, "reviewer": Role.REVIEWER}
    lost = [column for column, role in needed.items() if not allows(instance.role, role)]
    if lost and not created:
        _take(Job.objects.filter(video__project_id=instance.project_id), instance.user, instance.changed_by, lost)


@receiver(account_changed)
def take_jobs_from_deactivated(sender: object, user: User, by: User | None, **_: Any) -> None:
    """Take the unfinished jobs and reviews in all projects from a person whose account is not active any more."""
    if not User.objects.filter(pk=user.pk, is_active=True).exists():
        _take(Job.objects.all(), user, by, PEOPLE)


@transaction.atomic
def _take(jobs: QuerySet[Job], user: User, by: User | None, columns: Collection[str]) -> None:
    """Take unfinished jobs ("assignee") and reviews ("reviewer") from `user`, and log that `by` did so.

    Without `by`, as when a provider of accounts says that the person left, the log names the person.
    """
    theirs = [Q(**{column: user}) for column in columns]
    found = jobs.exclude(state=JobState.COMPLETED).filter(Q(*theirs, _connector=Q.OR))
    hold_all(set(found.values_list("video_id", flat=True)))
    for job in found.select_related("video__project").order_by("pk"):
        before = place_of(job)
        lost = [column for column in columns if getattr(job, f"{column}_id") == user.pk]
        for column in lost:
            take_from(job, column)
        save(job, by or user, "assign", before, details=dict.fromkeys(lost))
