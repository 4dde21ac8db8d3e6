"""Writes the members of a project: invite, change a role, remove, leave.

Nobody gives a role above their own or changes a member whose role is above their own. A project keeps an active owner.
"""

from __future__ import annotations

from django.db import transaction

from webapp.accounts.models import User
from webapp.audit.entries import Thing, record
from webapp.notifications.kinds import Kind
from webapp.notifications.notify import forget_project, notify
from webapp.problems import Forbidden, NotFound, Problem
from webapp.projects.access import allows, require
from webapp.projects.models import Invitation, Membership, Project, Role


@transaction.atomic
def invite(*, by: User, project_id: int, username: str, role: Role) -> Membership:
    """Make the user called `username` a member. The project appears in their list at once."""
    check_may_give(by, project_id, role)
    lock_project(project_id)
    user = User.objects.filter(username=username.strip(), is_active=True).first()
    if user is None:
        raise Problem(
            "unknown_user",
            f"There is no user called {username.strip()}. Invite people who have no account by a link, below.",
        )
    if Membership.objects.filter(project_id=project_id, user=user).exists():
        raise Problem("already_member", f"{user.shown_name} is a member already.", 409)
    return add_member(by=by, project_id=project_id, user=user, role=role)


def add_member(*, by: User, project_id: int, user: User, role: Role) -> Membership:
    """Make `user`, who is no member yet, a member with `role`, and tell them. The caller has checked the roles."""
    member = Membership.objects.create(project_id=project_id, user=user, role=role)
    record(by, "member.add", Thing("user", user.pk, user.username), project_id=project_id, role=role)
    _tell(by, member, f"{by.shown_name} added you to {member.project.name} as {role}.")
    return member


@transaction.atomic
def change_role(*, by: User, project_id: int, user_id: int, role: Role) -> Membership:
    check_may_give(by, project_id, role)
    lock_project(project_id)
    member = _member(project_id, user_id)
    _may_touch(by, member)
    _keep_an_owner(member, becomes=role)
    before, member.role = member.role, role
    member.changed_by = by
    member.save(update_fields=["role"])
    if before != role:
        _end_invitations(member, becomes=role)
        record(by, "member.role", _person(member), project_id=project_id, role=[before, role])
        _tell(by, member, f"{by.shown_name} changed your role in {member.project.name} from {before} to {role}.")
    return member


@transaction.atomic
def remove(*, by: User, project_id: int, user_id: int) -> None:
    """Remove a member. Managers may remove people whose role is not above their own; others only themselves.

    Raises Problem if no active owner would be left.
    """
    require(by, project_id, Role.VIEWER if user_id == by.pk else Role.MANAGER)
    lock_project(project_id)
    member = _member(project_id, user_id)
    _may_touch(by, member)
    _keep_an_owner(member, becomes=None)
    record(by, "member.remove", _person(member), project_id=project_id, role=member.role)
    forget_project(user_id=user_id, project_id=project_id)
    _end_invitations(member, becomes=None)
    member.changed_by = by
    member.delete()


def _person(member: Membership) -> Thing:
    return Thing("user", member.user_id, member.user.username)


def _tell(by: User, member: Membership, text: str) -> None:
    link = f"/projects/{member.project_id}"
    notify([member.user_id], Kind.MEMBER, text, link=link, project_id=member.project_id, by=by)


def check_may_give(by: User, project_id: int, role: Role) -> None:
    """Raise NotFound or Forbidden unless `by` is a manager or an owner and `role` is not above their own."""
    own = require(by, project_id, Role.MANAGER)
    if not allows(own, role):
        raise Forbidden(f"Only an {Role.OWNER.value} may give the role {role.value}; you are {own.value}.")


def _may_touch(by: User, member: Membership) -> None:
    own = require(by, member.project_id)
    if not allows(own, Role(member.role)):
        raise Forbidden(f"{member.user.shown_name} is {member.role}, you are {own.value}: ask an owner.")


def lock_project(project_id: int) -> None:
    """Lock the row of a project until the transaction ends, so that the next one to lock it sees what this one changed.

    Of two owners who leave at the same moment, the second sees that the first has gone. Rows that refer to the project
    can be added meanwhile. A transaction that locks both a project and the heads of videos must lock the project first.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project_id)


def _member(project_id: int, user_id: int) -> Membership:
    member = Membership.objects.select_related("user").filter(project_id=project_id, user_id=user_id).first()
    if member is None:
        raise NotFound("member")
    return member


def _end_invitations(member: Membership, *, becomes: Role | None) -> None:
    """Delete the unused invitations that a member has made and could not make with the new role `becomes`.

    With None, for a member who leaves the project, delete all of them.
    """
    made = Invitation.objects.filter(project_id=member.project_id, created_by=member.user_id, used_at=None)
    if becomes is not None and allows(becomes, Role.MANAGER):
        made = made.exclude(role__in=[role for role in Role if allows(becomes, role)])
    made.delete()


def _keep_an_owner(member: Membership, *, becomes: Role | None) -> None:
    if member.role != Role.OWNER or becomes == Role.OWNER:
        return
    others = Membership.objects.filter(project_id=member.project_id, role=Role.OWNER, user__is_active=True)
    if not others.exclude(pk=member.pk).exists():
        raise Problem("last_owner", "A project needs an owner: make somebody else one first.", 409)
