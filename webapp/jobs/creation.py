"""Creates the first job of a video when it becomes ready, and takes jobs from people who cannot do them any more.

These are people who leave the project, or whose account is deactivated.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from webapp.accounts.models import User
from webapp.accounts.signals import account_changed
from webapp.jobs.models import Job, JobState
from webapp.projects.models import Membership
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
def take_jobs_from_leavers(sender: type[Membership], instance: Membership, **_: Any) -> None:
    """Take the unfinished jobs and reviews in a project from a person who is no member of it any more."""
    _take(Job.objects.filter(video__project_id=instance.project_id), instance.user_id)


@receiver(account_changed)
def take_jobs_from_deactivated(sender: object, user: User, **_: Any) -> None:
    """Take the unfinished jobs and reviews in all projects from a person whose account is not active any more."""
    if not User.objects.filter(pk=user.pk, is_active=True).exists():
        _take(Job.objects.all(), user.pk)


@transaction.atomic
def _take(jobs: QuerySet[Job], user_id: int) -> None:
    unfinished = jobs.exclude(state=JobState.COMPLETED)
    unfinished.filter(assignee_id=user_id).update(assignee=None, edition=F("edition") + 1)
    unfinished.filter(reviewer_id=user_id).update(reviewer=None, edition=F("edition") + 1)
