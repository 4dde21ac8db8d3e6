"""The schemas of the audit log in REST calls: an entry, a page of entries, and the parameters that choose entries."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from django.db.models import QuerySet
from ninja import Schema
from pydantic import AfterValidator, Field

from webapp.audit.entries import Wanted
from webapp.audit.models import AuditEntry


class AuditInfo(Schema):
    id: int
    at: datetime
    who: int | None  # The id of the user who did it; null if it was Maskwright, is unknown, or was deleted.
    who_name: str
    project: int | None
    action: str
    kind: str
    thing: int | None
    thing_name: str
    details: dict[str, Any]


class AuditPage(Schema):
    """Entries, newest first. `next` is the value of `before` for the page that follows; null on the last page."""

    entries: list[AuditInfo]
    next: int | None


def _in_utc(moment: datetime) -> datetime:
    """Return a moment in UTC. One without a time zone is taken as UTC. Raises ValueError beyond the years 1 to 9999."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("This is outside of the years 1 to 9999.") from None


Moment = Annotated[datetime, AfterValidator(_in_utc)]


class AuditQuery(Schema):
    """Which entries are wanted. Parameters that are left out do not restrict anything."""

    action: Annotated[str, Field(max_length=40)] = ""  # "member" finds "member.add" and "member.remove".
    who: int | None = None
    since: Moment | None = None
    until: Moment | None = None
    before: int | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.action, self.who, self.since, self.until, self.before)


def page(found: QuerySet[AuditEntry], limit: int) -> AuditPage:
    rows = list(found[: limit + 1])
    shown = rows[:limit]
    return AuditPage(entries=[_info(entry) for entry in shown], next=shown[-1].pk if len(rows) > limit else None)


def _info(entry: AuditEntry) -> AuditInfo:
    return AuditInfo(
        id=entry.pk,
        at=entry.at,
        who=entry.who_id,
        who_name=entry.who_name if entry.who is None else entry.who.shown_name,
        project=entry.project_id,
        action=entry.action,
        kind=entry.kind,
        thing=entry.thing_id,
        thing_name=entry.thing_name,
        details=entry.details,
    )
