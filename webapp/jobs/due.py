"""Tells people in time that a job of theirs is due."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from webapp.jobs.models import Job
from webapp.jobs.moves import address_of, name_of
from webapp.jobs.queue import OPEN
from webapp.notifications.kinds import Kind
from webapp.notifications.notify import notify

AHEAD = timedelta(days=1)


def notify_due() -> int:
    """Notify the assignees of unfinished jobs that are due tomorrow or earlier, once for each assignee and due date.

    Return how many jobs there were.
    """
    until = timezone.localdate() + AHEAD
    jobs = Job.objects.filter(OPEN, assignee__isnull=False, due__lte=until, due_told=False)
    return sum(_tell(job) for job in jobs.select_related("video"))


@transaction.atomic
def _tell(job: Job) -> bool:
    if not Job.objects.filter(pk=job.pk, due_told=False).update(due_told=True):
        return False  # Another worker was quicker.
    late = job.due is not None and job.due < timezone.localdate()
    text = f"{name_of(job)} {'was' if late else 'is'} due on {job.due}."
    notify([job.assignee_id], Kind.JOB_DUE, text, link=address_of(job), project_id=job.video.project_id)
    return True
