"""Refuses to let an administrator deactivate the only active owner of a project."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from webapp.accounts.models import User
from webapp.accounts.signals import deactivating
from webapp.projects.models import Membership, Project, Role

# Who can take a project over, the most suitable first.
HEIRS = (Role.MANAGER, Role.REVIEWER, Role.ANNOTATOR, Role.VIEWER)
MOST_NAMED = 5


@receiver(deactivating)
def projects_to_hand_over(sender: object, user: User, **_: Any) -> list[str]:
    """Return a sentence for each project of which `user` is the only owner whose account is active."""
    owned = Membership.objects.filter(user=user, role=Role.OWNER, project__deleted_at=None).values("project")
    projects = Project.objects.select_for_update(no_key=True).filter(pk__in=owned).order_by("pk")
    return [_sentence(project, user) for project in projects if not _others(project, user, Role.OWNER)]


def _others(project: Project, user: User, role: Role) -> list[User]:
    rows = Membership.objects.filter(project=project, role=role, user__is_active=True).exclude(user=user)
    return [row.user for row in rows.select_related("user")]


def _sentence(project: Project, user: User) -> str:
    """Return a sentence: the project needs another owner first, who can be that, and where an administrator sets it."""
    found = next(((role, people) for role in HEIRS if (people := _others(project, user, role))), None)
    who = "Nobody else is in it"
    if found is not None:
        role, people = found
        names = ", ".join(f"{person.shown_name} ({person.username})" for person in people[:MOST_NAMED])
        who = f"Its {role.value}s can take it over: {names}{' and others' if len(people) > MOST_NAMED else ''}"
    return (
        f"{project.name} would have no active owner. {who}. "
        f"Make somebody its owner first, at /admin/projects/project/{project.pk}/change/."
    )
