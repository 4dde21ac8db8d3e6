"""Permissions in projects: the order of roles, the role of a user in a project, and the projects that a user may see.

Somebody who is no member gets NotFound, and so does not learn what exists. A member whose role is too low gets
Forbidden. A superuser is not a member of every project, but can change the members of every project in the Django
admin.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from webapp.accounts.models import User
from webapp.problems import Forbidden, NotFound
from webapp.projects.models import Membership, Project, Role, Sees

Visitor = User | AnonymousUser

RANKS: dict[str, int] = {
    Role.VIEWER: 0,
    Role.ANNOTATOR: 1,
    Role.REVIEWER: 2,
    Role.MANAGER: 3,
    Role.OWNER: 4,
}


def allows(role: str, at_least: Role) -> bool:
    """Return whether `role` is `at_least` or a higher one."""
    return RANKS[role] >= RANKS[at_least]


def memberships_of(user: Visitor) -> QuerySet[Membership]:
    """Return the memberships of a user: none if nobody is signed in or the account is inactive.

    A token that is limited to certain projects gives only those in these projects. Projects in the trash are left out.
    """
    return _all_memberships(user).filter(project__deleted_at=None)


def trashed_memberships_of(user: Visitor) -> QuerySet[Membership]:
    """Return the memberships of a user in projects that are in the trash and can be brought back."""
    return _all_memberships(user).filter(project__deleted_at__isnull=False, project__removing=False)


def _all_memberships(user: Visitor) -> QuerySet[Membership]:
    if isinstance(user, AnonymousUser) or not user.is_active:
        return Membership.objects.none()
    own = Membership.objects.filter(user_id=user.pk)
    return own if user.token_projects is None else own.filter(project__in=user.token_projects)


# The memberships of annotators who see only the videos in which they have a job.
ONLY_JOBS = Q(project__sees=Sees.JOBS, role=Role.ANNOTATOR)


def is_limited(project: Project, role: Role | str) -> bool:
    """Return whether a member with this role sees only the videos in which they have a job."""
    return project.sees == Sees.JOBS and role == Role.ANNOTATOR


def projects_of(user: Visitor) -> QuerySet[Project]:
    """Return the projects of which `user` is a member."""
    return Project.objects.filter(pk__in=memberships_of(user).values("project"))


def role_in(user: Visitor, project_id: int) -> Role | None:
    """Return the role of `user` in a project, or None. It is read for each request or message and never kept."""
    role = memberships_of(user).filter(project_id=project_id).values_list("role", flat=True).first()
    return None if role is None else Role(role)


def present_members(project_id: int, users: Iterable[int]) -> list[int]:
    """Return those of the users with these ids who are members of a project now."""
    members = Membership.objects.filter(project_id=project_id, user__in=set(users))
    return list(members.values_list("user_id", flat=True))


def require(user: Visitor, project_id: int, at_least: Role = Role.VIEWER, *, what: str = "project") -> Role:
    """Return the role of `user` in a project.

    Raises NotFound, which names `what`, if the user is no member, and Forbidden if the role is lower than `at_least`.
    """
    role = role_in(user, project_id)
    if role is None:
        raise NotFound(what)
    if not allows(role, at_least):
        raise Forbidden(f"This needs the role {at_least.value}; in this project you are {role.value}.")
    return role


def project_for(user: Visitor, project_id: int, at_least: Role = Role.VIEWER) -> Project:
    """Return a project in which `user` has at least this role. Raises NotFound or Forbidden."""
    project = projects_of(user).filter(pk=project_id).first()
    if project is None:
        raise NotFound("project")
    require(user, project.pk, at_least)
    return project
