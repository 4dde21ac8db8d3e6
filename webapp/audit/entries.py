"""Writes and reads the audit log.

`record` is called in the transaction of the action that it records, so that an entry exists exactly if the action took
effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from webapp.accounts.models import User
from webapp.audit.models import AuditEntry

MOST_IN_FILE = 100_000  # The most entries of one CSV file, the newest ones.
CSV_HEADER = ("id", "at", "who", "project", "action", "kind", "thing", "name", "details")


@dataclass(frozen=True)
class Thing:
    """What something was done to: its kind ("video"), its id if it has one, and the name that people know it by."""

    kind: str
    id: int | None
    name: str = ""


@dataclass(frozen=True)
class Wanted:
    """Which entries a reader asks for. None, or an empty text, means that this is not restricted."""

    action: str = ""  # An action, or its beginning up to a dot: "member" finds "member.add" and "member.remove".
    who: int | None = None  # The id of a user.
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None  # Only entries whose id is lower: the cursor of the next page.


def record(by: User | None, action: str, thing: Thing, *, project_id: int | None = None, **details: Any) -> None:
    """Write an entry: `by` did `action` to `thing`, in a project if `project_id` is given.

    `by` is None if Maskwright did it by itself, or if it is not known who did it, as with a wrong password. `details`
    must be values that JSON has.
    """
    AuditEntry.objects.create(
        who=by,
        who_name="" if by is None else by.username,
        project_id=project_id,
        action=action,
        kind=thing.kind,
        thing_id=thing.id,
        thing_name=thing.name[:200],
        details=details,
    )


def entries(wanted: Wanted, *, project_id: int | None = None) -> QuerySet[AuditEntry]:
    """Return the wanted entries, newest first: those of one project, or of the whole site if `project_id` is None."""
    found = AuditEntry.objects.select_related("who")
    if project_id is not None:
        found = found.filter(project_id=project_id)
    if wanted.action:
        found = found.filter(action=wanted.action) | found.filter(action__startswith=f"{wanted.action}.")
    if wanted.who is not None:
        found = found.filter(who=wanted.who)
    if wanted.since is not None:
        found = found.filter(at__gte=wanted.since)
    if wanted.until is not None:
        found = found.filter(at__lt=wanted.until)
    if wanted.before is not None:
        found = found.filter(pk__lt=wanted.before)
    return found.order_by("-pk")


def csv_rows(found: QuerySet[AuditEntry]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a CSV file, whose columns are `CSV_HEADER`."""
    for entry in found[:MOST_IN_FILE].iterator(2000):
        yield (
            entry.pk,
            entry.at.isoformat(),
            entry.who_name,
            entry.project_id,
            entry.action,
            entry.kind,
            entry.thing_id,
            entry.thing_name,
            "; ".join(f"{name}={value}" for name, value in entry.details.items()),
        )
