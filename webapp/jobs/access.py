"""Finds the jobs that a person may see, and whether the person is an assignee, a reviewer or a manager of them."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from webapp.accounts.models import User
from webapp.jobs.models import Job
from webapp.jobs.states import Part
from webapp.problems import NotFound
from webapp.projects.access import Visitor, allows, memberships_of
from webapp.projects.models import Role, Sees
from webapp.videos.access import videos_of


def jobs_of(user: Visitor) -> QuerySet[Job]:
    """Return the jobs of the videos that `user` sees.

    In a project whose annotators see only their jobs, an annotator gets only the jobs that they do or review.
    """
    limited = memberships_of(user).filter(project__sees=Sees.JOBS, role=Role.ANNOTATOR).values("project")
    own = Q(assignee_id=user.pk) | Q(reviewer_id=user.pk)
    return Job.objects.filter(own | ~Q(video__project__in=limited), video__in=videos_of(user))


def job_for(user: Visitor, job_id: int) -> Job:
    """Return a job that `user` may see. Raises NotFound."""
    job = jobs_of(user).select_related("video__project", "assignee", "reviewer").filter(pk=job_id).first()
    if job is None:
        raise NotFound("job")
    return job


def parts_of(user: User, role: Role | str, job: Job) -> frozenset[Part]:
    """Return the parts (assignee, reviewer, manager) that a member with this role has in a job.

    Nobody reviews their own work, except for managers.
    """
    parts = set()
    if job.assignee_id == user.pk or (job.assignee_id is None and allows(role, Role.ANNOTATOR)):
        parts.add(Part.ASSIGNEE)
    reviews = job.reviewer_id in (None, user.pk) and allows(role, Role.REVIEWER)
    if reviews and job.assignee_id != user.pk:
        parts.add(Part.REVIEWER)
    if allows(role, Role.MANAGER):
        parts.add(Part.MANAGER)
    return frozenset(parts) if allows(role, Role.ANNOTATOR) else frozenset()


def role_of(user: Visitor, project_id: int) -> Role:
    """Return the role of a member. Raises NotFound for somebody who is none."""
    role = memberships_of(user).filter(project_id=project_id).values_list("role", flat=True).first()
    if role is None:
        raise NotFound("job")
    return Role(role)
