"""Notifies people, and stores which notifications they have read and which kinds they have switched off."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from webapp.accounts.models import User
from webapp.notifications.kinds import Kind
from webapp.notifications.mail import SEND, mail_is_set_up
from webapp.notifications.models import Notification, Switch
from webapp.tasks.sending import send_task

MOST_TEXT = 400  # Characters of a notification, as its column allows.
KEPT = timedelta(days=90)  # Older notifications are deleted, whether they were read or not.


@dataclass(frozen=True)
class Choice:
    """Whether a person wants a kind of notification on the page and by mail."""

    on_page: bool = True
    by_mail: bool = True


def notify(
    to: Iterable[int | None],
    kind: Kind,
    text: str,
    *,
    link: str = "",
    project_id: int | None = None,
    by: User | None = None,
) -> None:
    """Notify the users with the ids `to`. None among them, inactive users and `by` are left out.

    Call this function in the transaction of the change that `text` tells of. `link` is an address on the page, such as
    "/videos/7".
    """
    wanted = {pk for pk in to if pk is not None} - {None if by is None else by.pk}
    if not wanted:
        return
    people = list(User.objects.filter(pk__in=wanted, is_active=True).order_by("pk"))
    chosen = dict(_choices(wanted, kind))
    rows = []
    for person in people:
        choice = chosen.get(person.pk, Choice())
        by_mail = choice.by_mail and mail_is_set_up() and bool(person.email)
        if choice.on_page or by_mail:
            row = Notification(user=person, kind=kind, text=_shortened(text), link=link, project_id=project_id)
            row.on_page, row.by_mail = choice.on_page, by_mail
            rows.append(row)
    Notification.objects.bulk_create(rows)
    if any(row.by_mail for row in rows):
        send_task(SEND)


def _shortened(text: str) -> str:
    return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 1]}…"


def _choices(users: Iterable[int], kind: Kind) -> Iterable[tuple[int, Choice]]:
    for switch in Switch.objects.filter(user__in=users, kind=kind):
        yield switch.user_id, Choice(switch.on_page, switch.by_mail)


def notifications_of(user: User) -> QuerySet[Notification]:
    """Return what a person is shown on the page, newest first. A token sees only those of its projects."""
    own = Notification.objects.filter(user_id=user.pk, on_page=True)
    if user.token_projects is not None:
        own = own.filter(project_id__in=user.token_projects)
    return own.order_by("-pk")


def mark_read(*, user: User, ids: Iterable[int] | None) -> None:
    """Mark these notifications of `user` as read; None: all of them. Ids of other people's are ignored."""
    unread = notifications_of(user).filter(read_at=None)
    if ids is not None:
        unread = unread.filter(pk__in=list(ids))
    unread.update(read_at=Now())


def choices_of(user: User) -> dict[Kind, Choice]:
    """Return what `user` wants of each kind."""
    rows = {row.kind: Choice(row.on_page, row.by_mail) for row in Switch.objects.filter(user_id=user.pk)}
    return {kind: rows.get(kind, Choice()) for kind in Kind}


@transaction.atomic
def choose(*, user: User, choices: dict[Kind, Choice]) -> None:
    """Store what `user` wants of these kinds. Other kinds stay as they are."""
    for kind, choice in choices.items():
        values = {"on_page": choice.on_page, "by_mail": choice.by_mail}
        Switch.objects.update_or_create(user_id=user.pk, kind=kind, defaults=values)


def forget_project(*, user_id: int, project_id: int) -> None:
    """Delete what a person was told of a project of which they are no longer a member."""
    Notification.objects.filter(user_id=user_id, project_id=project_id).delete()


def forget_old() -> None:
    """Delete notifications that are older than `KEPT`. Workers call this regularly."""
    Notification.objects.filter(Q(at__lt=Now() - KEPT)).delete()
