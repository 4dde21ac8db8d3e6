"""Invitations: links with which people join a project, whether they have an account or not.

The database holds a hash of the secret of a link. A link works once and for 14 days.
"""

from __future__ import annotations

import csv
import hashlib
import io
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from webapp.accounts.models import User
from webapp.audit.entries import Thing, record
from webapp.notifications.mail import mail_is_set_up
from webapp.problems import NotFound, Problem
from webapp.projects.access import allows, require, role_in
from webapp.projects.members import add_member, check_may_give, lock_project
from webapp.projects.models import Invitation, Membership, Role
from webapp.tasks.sending import send_task

MAIL = "projects.mail_invitations"  # The Celery task that sends invitations (invitation_mail.py).
LIFETIME = timedelta(days=14)
MOST_LINES = 1000
MOST_SAID = 20  # The most lines of a file that a refusal names.
COLUMNS = ("email", "role", "first_name", "last_name")


@dataclass(frozen=True)
class Guest:
    """A person to invite. Without a mail address the link is for whoever gets it."""

    role: Role
    email: str = ""
    first_name: str = ""
    last_name: str = ""


@dataclass(frozen=True)
class Line:
    """The outcome for a line of a CSV file of people: "invited" (with a link) or "member".

    `mailed` says whether a worker sends the link by mail.
    """

    number: int
    email: str
    outcome: str
    link: str | None
    mailed: bool = False


@transaction.atomic
def invite_by_link(*, by: User, project_id: int, guest: Guest) -> tuple[Invitation, str]:
    """Create an invitation, and return its row and the address of its link. The link cannot be shown again.

    An open invitation to the same mail address stops working. Raises Problem "bad_email".
    """
    check_may_give(by, project_id, guest.role)
    if guest.email and not _is_email(guest.email):
        raise Problem("bad_email", f"{guest.email} is no mail address.", field="email")
    return _make(by, project_id, guest)


def _make(by: User, project_id: int, guest: Guest) -> tuple[Invitation, str]:
    if guest.email:
        _unused(project_id).filter(email__iexact=guest.email).delete()
    token = new_secret()
    invitation = Invitation.objects.create(
        project_id=project_id,
        role=guest.role,
        email=guest.email,
        first_name=guest.first_name[:150],
        last_name=guest.last_name[:150],
        token_hash=hashed(token),
        by_mail=bool(guest.email) and mail_is_set_up(),
        created_by=by,
        expires_at=timezone.now() + LIFETIME,
    )
    thing = Thing("invitation", invitation.pk, guest.email)
    record(by, "invitation.make", thing, project_id=project_id, role=guest.role)
    if invitation.by_mail:
        send_task(MAIL)
    return invitation, f"/invitation/{token}"


@transaction.atomic
def invite_many(*, by: User, project_id: int, text: str) -> list[Line]:
    """Invite everybody in a CSV file with the columns email, role, first_name and last_name (the last two may be
    missing).

    A line about somebody who is a member already is skipped. If a line is wrong, raises Problem "bad_csv" and changes
    nothing; `lines` says which and why.
    """
    require(by, project_id, Role.MANAGER)
    guests = _read(text)
    for role in {guest.role for _, guest in guests}:
        check_may_give(by, project_id, role)
    return [_invite_line(by, project_id, number, guest) for number, guest in guests]


def _invite_line(by: User, project_id: int, number: int, guest: Guest) -> Line:
    # Accounts are not added by their address, because people write their address themselves.
    if Membership.objects.filter(project_id=project_id, user__email__iexact=guest.email).exists():
        return Line(number, guest.email, "member", None)
    invitation, link = _make(by, project_id, guest)
    return Line(number, guest.email, "invited", link, invitation.by_mail)


def _read(text: str) -> list[tuple[int, Guest]]:
    """Return the guests of a CSV file with the numbers of their lines."""
    try:
        # The csv module asks for newline="": the lines of a file may end with a carriage return alone.
        rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=_delimiter(text)))
    except csv.Error as error:
        raise Problem("bad_csv", f"This is no CSV file that can be read: {error}.", field="text") from None
    head = [name.strip().lower() for name in rows[0]] if rows else []
    if "email" not in head or "role" not in head or not set(head) <= set(COLUMNS):
        raise Problem("bad_csv", f"The first line must name the columns: {', '.join(COLUMNS)}.", field="text")
    lines = [(number, row) for number, row in enumerate(rows[1:], 2) if any(cell.strip() for cell in row)]
    if not lines:
        raise Problem("bad_csv", "The file names nobody below its first line.", field="text")
    if len(lines) > MOST_LINES:
        text = f"The file has {len(lines):,} lines; at most {MOST_LINES:,} people can be invited at once. Split it."
        raise Problem("bad_csv", text, field="text")
    guests, wrong = [], []
    seen: dict[str, int] = {}
    for number, row in lines:
        cells = dict(zip(head, (cell.strip() for cell in row), strict=False))
        fault = _fault(cells, seen)
        if fault or len(row) > len(head):
            wrong.append(f"Line {number}: {fault or 'it has more cells than the first line.'}")
            continue
        seen[cells["email"].casefold()] = number
        names = (cells.get("first_name", ""), cells.get("last_name", ""))
        guests.append((number, Guest(Role(cells["role"].lower()), cells["email"], *names)))
    if wrong:
        more = f" And {len(wrong) - MOST_SAID} more." if len(wrong) > MOST_SAID else ""
        said = f"Nobody was invited. {' '.join(wrong[:MOST_SAID])}{more}"
        raise Problem("bad_csv", said, field="text", lines=wrong[:MOST_SAID])
    return guests


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _fault(cells: dict[str, str], seen: dict[str, int]) -> str:
    """Return what is wrong with a line of a table of invitations, or an empty text.

    `seen` has the line number of each mail address above this line.
    """
    email, role = cells.get("email", ""), cells.get("role", "").lower()
    if not _is_email(email):
        return f"{email!r} is no mail address."
    if role not in Role.values:
        return f"{role!r} is no role. Use one of {', '.join(Role.values)}."
    if email.casefold() in seen:
        return f"{email} stands in line {seen[email.casefold()]} already."
    return ""


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= 254


def open_invitations(project_id: int) -> QuerySet[Invitation]:
    """Return the invitations to a project that can still be used, newest first.

    Those whose maker may no longer invite are left out, for example after a group or the Django admin removed the
    maker's membership.
    """
    rows = _unused(project_id).filter(_maker_may_invite(project_id))
    return rows.select_related("created_by").order_by("-pk")


def _unused(project_id: int) -> QuerySet[Invitation]:
    return Invitation.objects.filter(project_id=project_id, used_at=None, expires_at__gt=Now())


def _maker_may_invite(project_id: int) -> Q:
    """Return the condition that an invitation to this project was made by somebody who may still give its role."""
    members = Membership.objects.filter(project_id=project_id, user__is_active=True)
    found = Q(pk__in=[])
    for own in (role for role in Role if allows(role, Role.MANAGER)):
        makers = members.filter(role=own).values("user")
        found |= Q(created_by__in=makers, role__in=[role for role in Role if allows(own, role)])
    return found


@transaction.atomic
def withdraw(*, by: User, invitation_id: int) -> None:
    """End an invitation that was not used. Raises NotFound, or Forbidden for members who are no managers."""
    invitation = Invitation.objects.filter(pk=invitation_id, used_at=None).first()
    if invitation is None:
        raise NotFound("invitation")
    require(by, invitation.project_id, Role.MANAGER, what="invitation")
    thing = Thing("invitation", invitation.pk, invitation.email)
    record(by, "invitation.withdraw", thing, project_id=invitation.project_id)
    invitation.delete()


# --- for the person who is invited ------------------------------------------------------------------------------------


def find_invitation(token: str) -> Invitation | None:
    """Return the invitation with this secret if it can be used, else None."""
    rows = Invitation.objects.select_related("project", "created_by").filter(project__deleted_at=None)
    secret = Q(token_hash=hashed(token)) | Q(mail_hash=hashed(token))
    found = rows.filter(secret, used_at=None, expires_at__gt=Now()).first()
    if found is None or not _may_invite(found.created_by, found.project_id, Role(found.role)):
        return None
    return found


@transaction.atomic
def join(*, invitation: Invitation, user: User) -> None:
    """Make `user` a member by an invitation, which is then used up. It stays open if `user` is a member already.

    Raises Problem "link_used" (409), also if the person who made the invitation may no longer invite.
    """
    lock_project(invitation.project_id)
    if Membership.objects.filter(project=invitation.project, user=user).exists():
        return
    by, role = User.objects.get(pk=invitation.created_by_id), Role(invitation.role)
    unused = Invitation.objects.filter(pk=invitation.pk, used_at=None)
    if not _may_invite(by, invitation.project_id, role) or not unused.update(used_at=Now(), used_by=user):
        raise Problem("link_used", "This invitation has been used already. Ask for another one.", 409)
    add_member(by=by, project_id=invitation.project_id, user=user, role=role)


def _may_invite(by: User, project_id: int, role: Role) -> bool:
    """Return whether `by`, who made an invitation, is still active and may still give this role."""
    own = role_in(by, project_id)
    return own is not None and allows(own, Role.MANAGER) and allows(own, role)


@transaction.atomic
def register(*, invitation: Invitation, username: str, password: str, names: Sequence[str]) -> User:
    """Create an account with a first and a last name, and make it a member by an invitation.

    Raises Problem: "no_name"; "bad_name"; "name_taken"; "weak_password"; "link_used".
    """
    username = username.strip()
    if not username:
        raise Problem("no_name", "Choose a user name.", field="username")
    try:
        User.username_validator(username)
    except ValidationError as error:
        raise Problem("bad_name", " ".join(error.messages), field="username") from None
    if len(username) > 150 or User.objects.filter(username__iexact=username).exists():
        raise Problem("name_taken", "This user name is taken or too long. Choose another one.", field="username")
    first, last = (name.strip()[:150] for name in names)
    user = User(username=username, email=invitation.email, first_name=first, last_name=last)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Problem("weak_password", " ".join(error.messages), field="password") from None
    user.set_password(password)
    user.save()
    join(invitation=invitation, user=user)
    return user


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
