"""The one place that decides who may do what: a member's role, the order of roles, and rows as a user may see them.

A stranger gets NotFound, so that nobody learns what exists; a member whose role is too low gets Forbidden. A superuser
is a member nowhere by that alone: the Django admin is where superusers look after rows that are not theirs.
"""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from webapp.accounts.models import User
from webapp.problems import Forbidden, NotFound
from webapp.projects.models import Membership, Project, Role

Visitor = User | AnonymousUser

RANKS: dict[str, int] = {
    Role.VIEWER: 0,
    Role.ANNOTATOR: 1,
    Role.REVIEWER: 2,
    Role.MANAGER: 3,
    Role.OWNER: 4,
}


def allows(role: str, at_least: Role) -> bool:
    """Whether `role` includes all that `at_least` may do."""
    return RANKS[role] >= RANKS[at_least]


def memberships_of(user: Visitor) -> QuerySet[Membership]:
    """Where every permission starts: nothing for the signed out and for accounts that were switched off."""
    if isinstance(user, AnonymousUser) or not user.is_active:
        return Membership.objects.none()
    return Membership.objects.filter(user_id=user.pk)


def projects_of(user: Visitor) -> QuerySet[Project]:
    """The projects that `user` is a member of."""
    return Project.objects.filter(pk__in=memberships_of(user).values("project"))


def role_in(user: Visitor, project_id: int) -> Role | None:
    """The role of `user` in a project, None for a stranger. One query; not to be kept beyond one message."""
    role = memberships_of(user).filter(project_id=project_id).values_list("role", flat=True).first()
    return None if role is None else Role(role)


def require(user: Visitor, project_id: int, at_least: Role = Role.VIEWER, *, what: str = "project") -> Role:
    """The role of `user` in a project when it suffices; NotFound (naming `what`) or Forbidden otherwise."""
    role = role_in(user, project_id)
    if role is None:
        raise NotFound(what)
    if not allows(role, at_least):
        raise Forbidden(f"This needs the role {at_least.value}; in this project you are {role.value}.")
    return role


def project_for(user: Visitor, project_id: int, at_least: Role = Role.VIEWER) -> Project:
    """The project with this id, when `user` has at least this role in it. Raises NotFound or Forbidden."""
    project = projects_of(user).filter(pk=project_id).first()
    if project is None:
        raise NotFound("project")
    require(user, project.pk, at_least)
    return project
