"""REST calls of one's own notifications."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema
from ninja.security import django_auth
from pydantic import Field

from webapp.accounts.api import signed_in
from webapp.accounts.models import User
from webapp.notifications.kinds import TITLES, Kind
from webapp.notifications.mail import mail_is_set_up
from webapp.notifications.models import Notification
from webapp.notifications.notify import Choice, choices_of, choose, mark_read, notifications_of
from webapp.rest import Strict

router = Router(tags=["notifications"])


class NotificationInfo(Schema):
    id: int
    kind: str
    text: str
    link: str  # An address on the page; empty if it leads nowhere.
    project: int | None
    at: datetime
    read: bool


class NotificationPage(Schema):
    """Notifications, newest first. `next` is the value of `before` for the page that follows; null on the last page."""

    notifications: list[NotificationInfo]
    unread: int  # How many there are in all that were not read.
    next: int | None


class ReadBody(Strict):
    ids: Annotated[list[int], Field(max_length=1000)] | None = None  # Null: all.


class Unread(Schema):
    unread: int


class KindChoice(Schema):
    kind: Kind
    title: str  # What the kind tells, in words for the page.
    on_page: bool
    by_mail: bool


class NotificationSettings(Schema):
    kinds: list[KindChoice]
    mail: bool  # Whether this site sends mail and you have a mail address.


class KindPatch(Strict):
    kind: Kind
    on_page: bool
    by_mail: bool


class SettingsPatch(Strict):
    kinds: Annotated[list[KindPatch], Field(max_length=50)]


@router.get("/me/notifications", response=NotificationPage)
def list_notifications(
    request: HttpRequest,
    before: int | None = None,
    limit: Annotated[int, Field(ge=1, le=100)] = 30,
    unread: bool = False,
) -> NotificationPage:
    """Return your notifications; with `unread` only those that you have not read."""
    own = notifications_of(signed_in(request))
    found = own.filter(read_at=None) if unread else own
    rows = list((found if before is None else found.filter(pk__lt=before))[: limit + 1])
    return NotificationPage(
        notifications=[_info(row) for row in rows[:limit]],
        unread=own.filter(read_at=None).count(),
        next=rows[limit - 1].pk if len(rows) > limit else None,
    )


def _info(row: Notification) -> NotificationInfo:
    return NotificationInfo(
        id=row.pk,
        kind=row.kind,
        text=row.text,
        link=row.link,
        project=row.project_id,
        at=row.at,
        read=row.read_at is not None,
    )


@router.post("/me/notifications/read", response=Unread)
def read_notifications(request: HttpRequest, body: ReadBody) -> Unread:
    """Mark notifications as read."""
    user = signed_in(request)
    mark_read(user=user, ids=body.ids)
    return Unread(unread=notifications_of(user).filter(read_at=None).count())


@router.get("/me/notification-settings", response=NotificationSettings)
def get_notification_settings(request: HttpRequest) -> NotificationSettings:
    return _settings(signed_in(request))


@router.patch("/me/notification-settings", response=NotificationSettings, auth=django_auth)
def change_notification_settings(request: HttpRequest, body: SettingsPatch) -> NotificationSettings:
    """Switch kinds of notifications on or off. Kinds that are left out stay as they are."""
    user = signed_in(request)
    choose(user=user, choices={kind.kind: Choice(kind.on_page, kind.by_mail) for kind in body.kinds})
    return _settings(user)


def _settings(user: User) -> NotificationSettings:
    kinds = [
        KindChoice(kind=kind, title=TITLES[kind], on_page=choice.on_page, by_mail=choice.by_mail)
        for kind, choice in choices_of(user).items()
    ]
    return NotificationSettings(kinds=kinds, mail=mail_is_set_up() and bool(user.email))
