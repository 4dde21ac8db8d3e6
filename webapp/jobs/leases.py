"""Leases of objects: who draws on an object of a video holds it, and nobody else draws on it meanwhile.

A lease lasts `SECONDS` after the last stroke. It belongs to a connection: it ends with the page of its holder. Each
change of the holder or the connection raises the fence. All times are of the clock of the database. Who takes a lease
has locked the row of the video's head, so that of two first strokes at once the second one is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.db.models.functions import Now

from webapp.accounts.models import User
from webapp.annotation.head import hold
from webapp.annotation.models import Object
from webapp.annotation.schemas import LeaseInfo
from webapp.annotation.state import person
from webapp.jobs.models import ObjectLease
from webapp.notifications.kinds import Kind
from webapp.notifications.notify import notify
from webapp.prepared import Call, Query, Update
from webapp.problems import Forbidden, NotFound, Problem
from webapp.projects.access import present_members
from webapp.videos.models import Video

SECONDS = 30
LENGTH = timedelta(seconds=SECONDS)
_HELD = Query(
    lambda video_id: (
        ObjectLease.objects.filter(video_id=video_id, expires__gt=Now())
        .select_related("holder", "asked_by")
        .order_by("object_id")
    ),
    video_id=int,
)
Holding = tuple[
    int, int, int | None
]  # The id of an object, the fence of its lease, and the User.id of who asks for it.
_HOLDINGS = Query(
    lambda video_id: (
        ObjectLease.objects.filter(video_id=video_id, expires__gt=Now())
        .order_by("object_id")
        .values_list("object_id", "fence", "asked_by_id")
    ),
    video_id=int,
)
_LEASE = Query(
    lambda video_id, number: (
        ObjectLease.objects.filter(video_id=video_id, object_id=number)
        .select_related("holder")
        .annotate(free=ExpressionWrapper(Q(expires__lte=Now()), BooleanField()))[:1]
    ),
    video_id=int,
    number=int,
)
_RENEWAL = Update(
    lambda video_id, number, holder_id, connection: (
        ObjectLease.objects.filter(
            video_id=video_id, object_id=number, holder_id=holder_id, connection=connection, expires__gt=Now()
        ),
        {"expires": Now() + LENGTH},
    ),
    video_id=int,
    number=int,
    holder_id=int,
    connection=str,
)


def leases_of(video_id: int) -> list[LeaseInfo]:
    """Return the leases of objects of a video that have not ended."""
    return [
        LeaseInfo(
            object=row.object_id,
            holder=person(row.holder),
            until=row.expires.isoformat(),
            fence=row.fence,
            asked_by=None if row.asked_by is None else person(row.asked_by),
        )
        for row in _HELD.rows(video_id=video_id)
    ]


def held_by(video_id: int) -> tuple[Holding, ...]:
    """Return the leases of a video without their times, which change with each stroke."""
    return tuple(_HOLDINGS.rows(video_id=video_id))


def held_by_call(video_id: int) -> Call:
    """Return the query that `held_by` makes."""
    return _HOLDINGS.call(video_id=video_id)


def held_in(video_ids: Collection[int]) -> dict[int, tuple[Holding, ...]]:
    """Return what `held_by` returns for each of these videos that has leases, by Video.id."""
    rows = ObjectLease.objects.filter(video_id__in=video_ids, expires__gt=Now()).order_by("video_id", "object_id")
    found: dict[int, tuple[Holding, ...]] = {}
    for video_id, number, fence, asked_by in rows.values_list("video_id", "object_id", "fence", "asked_by_id"):
        found[video_id] = (*found.get(video_id, ()), (number, fence, asked_by))
    return found


def hold_objects(*, video: Video, by: User, connection: str, objects: Iterable[int]) -> None:
    """Take or renew the leases of the objects on which `by` draws. Raises Problem "held" (409), and NotFound.

    The background (object id 0) needs no lease.
    """
    for number in sorted(set(objects) - {0}):
        take(video=video, by=by, connection=connection, number=number)


def take(*, video: Video, by: User, connection: str, number: int, over: bool = False) -> None:
    """Take or renew the lease of one object. With `over`, it is taken from its holder.

    Raises Problem "held" (409) if somebody else holds it, and NotFound if there is no such object.
    """
    if _RENEWAL.run(video_id=video.pk, number=number, holder_id=by.pk, connection=connection):
        return
    own: dict[str, Any] = {"holder": by, "connection": connection, "expires": Now() + LENGTH}
    row = _LEASE.first(video_id=video.pk, number=number)
    if row is None:
        if not Object.objects.filter(video=video, number=number).exists():
            raise NotFound("object")
        ObjectLease.objects.create(video=video, object_id=number, fence=1, **own)
        return
    if row.holder_id != by.pk and not row.free and not over:
        raise _held(video, row)
    ObjectLease.objects.filter(pk=row.pk).update(**own, fence=row.fence + 1, asked_by=None)


def _held(video: Video, row: ObjectLease) -> Problem:
    name = Object.objects.values_list("name", flat=True).get(video=video, number=row.object_id)
    text = f"{row.holder.shown_name} draws on {name} now. Ask for it, or wait until {SECONDS} s after the last stroke."
    return Problem("held", text, 409)


def release(*, video: Video, by: User, number: int) -> None:
    """End the lease that `by` has of an object."""
    ObjectLease.objects.filter(video=video, object_id=number, holder=by).update(expires=Now(), asked_by=None)


def release_connection(video_id: int, connection: str) -> None:
    """End the leases of a page that was closed."""
    ObjectLease.objects.filter(video_id=video_id, connection=connection, expires__gt=Now()).update(expires=Now())


@transaction.atomic
def ask(*, video: Video, by: User, number: int) -> None:
    """Tell the holder of an object that `by` would like to draw on it. Raises Problem "not_held" (409)."""
    hold(video.pk)
    row = ObjectLease.objects.filter(video=video, object_id=number, expires__gt=Now()).first()
    if row is None or row.holder_id == by.pk:
        raise Problem("not_held", "Nobody else draws on this object now.", 409)
    if row.asked_by_id == by.pk:
        return  # The holder knows.
    row.asked_by = by
    row.save(update_fields=["asked_by"])
    name = Object.objects.values_list("name", flat=True).get(video=video, number=number)
    text = f"{by.shown_name} asks for {name} in {video.name}."
    link = f"/videos/{video.pk}"
    to = present_members(video.project_id, [row.holder_id])
    notify(to, Kind.OBJECT_ASKED, text, link=link, project_id=video.project_id, by=by)


def check_may_take_over(manages: bool) -> None:
    if not manages:
        raise Forbidden("Only a manager takes an object over. Ask its holder for it.")
