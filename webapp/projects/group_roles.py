"""Roles in projects that follow from groups of a provider or a directory (MASKWRIGHT_GROUP_ROLES).

In the projects that the setting names, the groups decide about everybody who signs in that way, at each sign-in. Owners
stay owners, so that no project loses its last one.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.dispatch import receiver

from webapp.accounts.models import User
from webapp.accounts.signals import groups_known
from webapp.audit.entries import Thing, record
from webapp.notifications.notify import forget_project
from webapp.projects.access import RANKS
from webapp.projects.members import lock_project
from webapp.projects.models import Membership, Project, Role


@receiver(groups_known, dispatch_uid="projects.group_roles")
def apply(sender: Any, user: User, groups: frozenset[str], **_: Any) -> None:
    """Give `user` the roles of their groups, and take those that no group gives any more."""
    wanted: dict[int, Role | None] = {}
    for group, project, name in settings.CONFIG["MASKWRIGHT_GROUP_ROLES"]:
        best = wanted.setdefault(project, None)
        if group in groups and (best is None or RANKS[name] > RANKS[best]):
            wanted[project] = Role(name)
    there = Project.objects.filter(pk__in=wanted, deleted_at=None).values_list("pk", flat=True)
    for project_id in there:
        _set_role(user, project_id, wanted[project_id])


@transaction.atomic
def _set_role(user: User, project_id: int, role: Role | None) -> None:
    lock_project(project_id)
    member = Membership.objects.filter(project_id=project_id, user=user).first()
    thing = Thing("user", user.pk, user.username)
    if member is None:
        if role is not None:
            Membership.objects.create(project_id=project_id, user=user, role=role)
            record(None, "member.add", thing, project_id=project_id, role=role)
        return
    before = member.role
    if before in (role, Role.OWNER):
        return
    if role is None:
        member.delete()
        forget_project(user_id=user.pk, project_id=project_id)
        record(None, "member.remove", thing, project_id=project_id, role=before)
    else:
        member.role = role
        member.save(update_fields=["role"])
        record(None, "member.role", thing, project_id=project_id, role=[before, role])
