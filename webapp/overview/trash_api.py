"""REST calls of the trash, which keeps deleted projects, videos, objects, labels and exports for 30 days."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema, Status

from webapp.accounts.api import signed_in
from webapp.overview import trash
from webapp.overview.trash import TrashKind
from webapp.rest import ErrorAnswer, Strict

router = Router(tags=["trash"])


class TrashItem(Schema):
    kind: TrashKind
    id: int
    name: str
    project: int
    project_name: str
    deleted_at: datetime
    deleted_by: str  # Empty for objects, and if the account was deleted.
    removed_at: datetime | None  # When it is deleted for good; null for objects, which are kept with their video.


class EmptyBody(Strict):
    project: int | None = None  # Only what belongs to this project; null: everything.


class Emptied(Schema):
    count: int  # How many projects, videos, exports and labels a worker deletes now.


@router.get("/trash", response=list[TrashItem])
def list_trash(request: HttpRequest, project: int | None = None) -> list[TrashItem]:
    """Return what was deleted and you may bring back, newest first: at most 500 of each kind."""
    found = trash.trash_of(signed_in(request), project)
    return [
        TrashItem(
            kind=row.kind,
            id=row.id,
            name=row.name,
            project=row.project_id,
            project_name=row.project_name,
            deleted_at=row.deleted_at,
            deleted_by=row.deleted_by,
            removed_at=row.removed_at,
        )
        for row in found
    ]


@router.post("/trash/empty", response=Emptied)
def empty_trash(request: HttpRequest, body: EmptyBody) -> Emptied:
    """Delete for good everything that you may bring back, except objects. A worker does it, and this call answers at
    once.
    """
    return Emptied(count=trash.empty(by=signed_in(request), project_id=body.project))


@router.post("/trash/{kind}/{int:trash_id}/restore", response={204: None, (403, 404, 409): ErrorAnswer})
def restore_from_trash(request: HttpRequest, kind: TrashKind, trash_id: int) -> Status[None]:
    """Bring back a project, video, object, export or label.

    A label comes back to the objects that had it, unless they were given yet another one since.
    """
    trash.restore(by=signed_in(request), kind=kind, pk=trash_id)
    return Status(204, None)


@router.delete("/trash/{kind}/{int:trash_id}", response={204: None, (403, 404, 409): ErrorAnswer})
def delete_from_trash(request: HttpRequest, kind: TrashKind, trash_id: int) -> Status[None]:
    """Delete a project, video, export or label for good. A worker does it, and this call answers at once."""
    trash.remove_for_good(by=signed_in(request), kind=kind, pk=trash_id)
    return Status(204, None)
