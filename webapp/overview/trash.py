"""The trash: what was deleted and can still be brought back.

A project is brought back by its owners, a video or a label by managers, an export by its author or a manager, and an
object by annotators. An annotator who sees only the videos of their jobs brings back only objects that they made, and
only while they have an open job in the video. People who may bring something back may also delete it for good, except
for objects: these keep their object id and their masks as long as the video exists.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from webapp.accounts.models import User
from webapp.annotation.labels import return_to_label
from webapp.annotation.models import Export, Object
from webapp.annotation.objects import update_object
from webapp.audit.entries import Thing, record
from webapp.jobs.models import Job, JobState, Stage
from webapp.jobs.ranges import own_ranges
from webapp.problems import Forbidden, NotFound, Problem
from webapp.projects.access import ONLY_JOBS, RANKS, is_limited, memberships_of, role_in, trashed_memberships_of
from webapp.projects.deletable import KEPT, REMOVE, Deletable
from webapp.projects.labels import restore_label
from webapp.projects.members import lock_project
from webapp.projects.models import Project, RemovedLabel, Role
from webapp.tasks.sending import send_task
from webapp.videos.access import videos_of
from webapp.videos.models import Video

MOST = 500  # The most rows of each kind that a list shows, the newest ones.


class TrashKind(StrEnum):
    PROJECT = "project"
    VIDEO = "video"
    OBJECT = "object"
    EXPORT = "export"
    LABEL = "label"


@dataclass(frozen=True)
class Trashed:
    """A row in the trash. `removed_at` is when it is deleted for good; None for objects, which are kept."""

    kind: TrashKind
    id: int
    name: str
    project_id: int
    project_name: str
    deleted_at: datetime
    deleted_by: str
    removed_at: datetime | None


def trash_of(user: User, project_id: int | None = None) -> list[Trashed]:
    """Return what `user` may bring back, newest first: of all projects, or of one. At most `MOST` rows of each kind."""

    def newest(rows: QuerySet[Any], of_project: Q, *related: str) -> QuerySet[Any]:
        return (rows if project_id is None else rows.filter(of_project)).select_related(*related)[:MOST]

    of_export = _export_of(Project.objects.filter(pk=project_id or 0))
    found = [
        *map(_project, newest(_projects(user), Q(pk=project_id), "deleted_by")),
        *map(_video, newest(_videos(user), Q(project=project_id), "project", "deleted_by")),
        *map(_export, newest(_exports(user), of_export, "video__project", "project", "deleted_by")),
        *map(_label, newest(_labels(user), Q(project=project_id), "project", "deleted_by")),
        *map(_object, newest(_objects(user), Q(video__project=project_id), "video__project")),
    ]
    return sorted(found, key=lambda row: row.deleted_at, reverse=True)


@transaction.atomic
def restore(*, by: User, kind: TrashKind, pk: int) -> None:
    """Bring something back from the trash. Raises NotFound, Forbidden, or Problem "label_twice" (409)."""
    if kind is TrashKind.OBJECT:
        _restore_object(by, pk)
        return
    row = _find(by, kind, pk)
    if isinstance(row, RemovedLabel):
        _restore_label(row)
    elif not _in_trash(row).update(deleted_at=None, deleted_by=None):
        raise NotFound(kind)  # Somebody else has brought it back, or has it deleted for good, meanwhile.
    record(by, f"{kind}.restore", _thing(kind, row), project_id=_project_id(row))


@transaction.atomic
def remove_for_good(*, by: User, kind: TrashKind, pk: int) -> None:
    """Have a worker delete a row of the trash. Raises NotFound, Forbidden, or Problem "kept" (409) for an object."""
    if kind is TrashKind.OBJECT:
        raise Problem("kept", "A deleted object keeps its number and masks as long as its video lives.", 409)
    if not _mark(by, kind, [_find(by, kind, pk)]):
        raise NotFound(kind)
    send_task(REMOVE)


@transaction.atomic
def empty(*, by: User, project_id: int | None = None) -> int:
    """Have a worker delete everything that `by` may bring back, except objects: of all projects, or of one.

    Return how many rows were marked for this.
    """
    count = 0
    kinds = {
        TrashKind.PROJECT: _projects(by),
        TrashKind.VIDEO: _videos(by),
        TrashKind.EXPORT: _exports(by),
        TrashKind.LABEL: _labels(by),
    }
    for kind, rows in kinds.items():
        chosen = [row for row in rows if project_id in (None, _project_id(row))]
        count += _mark(by, kind, chosen)
    if count:
        send_task(REMOVE)
    return count


def _mark(by: User, kind: TrashKind, rows: Iterable[Deletable]) -> int:
    """Mark the rows that are still in the trash, so that a worker deletes them. Return how many these are."""
    count = 0
    for row in rows:
        if _in_trash(row).update(removing=True):
            record(by, f"{kind}.remove", _thing(kind, row), project_id=_project_id(row))
            count += 1
    return count


def _in_trash(row: Deletable) -> QuerySet[Any]:
    return type(row)._default_manager.filter(pk=row.pk, deleted_at__isnull=False, removing=False)


# --- what a person may bring back -------------------------------------------------------------------------------------


def _with_role(user: User, at_least: Role) -> QuerySet[Project]:
    roles = [role for role, rank in RANKS.items() if rank >= RANKS[at_least]]
    return Project.objects.filter(pk__in=memberships_of(user).filter(role__in=roles).values("project"))


def _projects(user: User) -> QuerySet[Project]:
    own = trashed_memberships_of(user).filter(role=Role.OWNER).values("project")
    return Project.objects.filter(pk__in=own).order_by("-deleted_at")


def _videos(user: User) -> QuerySet[Video]:
    rows = Video.objects.filter(deleted_at__isnull=False, removing=False)
    return rows.filter(project__in=_with_role(user, Role.MANAGER)).order_by("-deleted_at")


def _exports(user: User) -> QuerySet[Export]:
    rows = Export.objects.filter(deleted_at__isnull=False, removing=False)
    mine = _export_seen(user, Role.MANAGER) | (Q(author_id=user.pk) & _export_seen(user, Role.VIEWER))
    return rows.filter(mine).order_by("-deleted_at")


def _labels(user: User) -> QuerySet[RemovedLabel]:
    rows = RemovedLabel.objects.filter(removing=False, project__in=_with_role(user, Role.MANAGER))
    return rows.order_by("-deleted_at")


def _export_seen(user: User, at_least: Role) -> Q:
    return _export_of(_with_role(user, at_least))


def _export_of(projects: QuerySet[Project]) -> Q:
    within = projects.values("pk")
    return Q(project__in=within) | Q(video__project__in=within, video__deleted_at=None)


def _objects(user: User) -> QuerySet[Object]:
    recently = Object.objects.filter(deleted_at__gt=timezone.now() - KEPT, video__deleted_at=None)
    worked_on = Job.objects.filter(assignee=user, stage=Stage.ANNOTATION).exclude(state=JobState.COMPLETED)
    mine = Q(created_by_id=user.pk, video__in=worked_on.values("video"))
    mine |= ~Q(video__project__in=memberships_of(user).filter(ONLY_JOBS).values("project"))
    seen = recently.filter(mine, video__in=videos_of(user))
    return seen.filter(video__project__in=_with_role(user, Role.ANNOTATOR)).order_by("-deleted_at")


def _find(user: User, kind: TrashKind, pk: int) -> Deletable:
    """Return a row of the trash that `user` may bring back.

    Raises Forbidden if only others may, and NotFound if `user` may not even know of it.
    """
    allowed: dict[TrashKind, QuerySet[Any]] = {
        TrashKind.PROJECT: _projects(user),
        TrashKind.VIDEO: _videos(user),
        TrashKind.EXPORT: _exports(user),
        TrashKind.LABEL: _labels(user),
    }
    found: Deletable | None = allowed[kind].filter(pk=pk).first()
    if found is not None:
        return found
    if not _is_seen(user, kind, pk):
        raise NotFound(kind)
    who = "An owner" if kind is TrashKind.PROJECT else "A manager"
    raise Forbidden(f"{who} can bring this {kind} back.")


def _is_seen(user: User, kind: TrashKind, pk: int) -> bool:
    """Return whether `user` may know of a row of the trash that others may bring back."""
    mine = _with_role(user, Role.VIEWER)
    limited = memberships_of(user).filter(ONLY_JOBS).values("project")  # There a member sees only videos with a job.
    whole = mine.exclude(pk__in=limited)
    in_trash = {"pk": pk, "deleted_at__isnull": False, "removing": False}
    match kind:
        case TrashKind.PROJECT:
            return trashed_memberships_of(user).filter(project=pk).exists()
        case TrashKind.VIDEO:
            return Video.objects.filter(**in_trash, project__in=whole).exists()
        case TrashKind.LABEL:
            return RemovedLabel.objects.filter(**in_trash, project__in=mine).exists()
        case _:
            return Export.objects.filter(_export_of(whole), **in_trash).exists()


def _restore_label(row: RemovedLabel) -> None:
    """Bring a label back to the objects that still have the label which they got in its place."""
    if RemovedLabel.objects.select_for_update(of=("self",)).filter(pk=row.pk, removing=False).first() is None:
        raise NotFound(TrashKind.LABEL)  # Somebody else was quicker.
    lock_project(row.project_id)
    return_to_label(row.object_ids, row.moved_to, restore_label(row))
    row.delete()


def _restore_object(by: User, pk: int) -> None:
    rows = Object.objects.select_related("video__project").filter(pk=pk, deleted_at__isnull=False)
    instance = rows.filter(video__in=videos_of(by)).first()
    role = None if instance is None else role_in(by, instance.video.project_id)
    if instance is None or role is None:
        raise NotFound("object")
    if RANKS[role] < RANKS[Role.ANNOTATOR]:
        raise Forbidden("An annotator can bring this object back.")
    if is_limited(instance.video.project, role) and instance.created_by_id != by.pk:
        raise Forbidden("Only its author or a reviewer can bring this object back.")
    if own_ranges(by, role, instance.video) == []:
        raise Forbidden("You have no open job in this video. A reviewer can bring this object back.")
    update_object(video=instance.video, number=instance.number, deleted=False)
    record(by, "object.restore", Thing("object", pk, instance.name), project_id=instance.video.project_id)


# --- how a row is shown -----------------------------------------------------------------------------------------------


def _project_id(row: Deletable) -> int:
    match row:
        case Project():
            return row.pk
        case Video() | RemovedLabel():
            return row.project_id
        case Export():
            project_id = row.project_id if row.video is None else row.video.project_id
            assert project_id is not None
            return project_id
    raise TypeError(row)


def _thing(kind: TrashKind, row: Deletable) -> Thing:
    return Thing(kind, row.pk, _name(row))


def _name(row: Deletable) -> str:
    match row:
        case Project() | Video() | RemovedLabel():
            return row.name
        case Export():
            source = row.video or row.project
            return f"{source.name if source else ''} ({row.format})"
    raise TypeError(row)


def _shown(kind: TrashKind, row: Deletable, project: Project) -> Trashed:
    assert row.deleted_at is not None
    by = "" if row.deleted_by is None else row.deleted_by.shown_name
    return Trashed(kind, row.pk, _name(row), project.pk, project.name, row.deleted_at, by, row.deleted_at + KEPT)


def _project(row: Project) -> Trashed:
    return _shown(TrashKind.PROJECT, row, row)


def _video(row: Video) -> Trashed:
    return _shown(TrashKind.VIDEO, row, row.project)


def _label(row: RemovedLabel) -> Trashed:
    return _shown(TrashKind.LABEL, row, row.project)


def _export(row: Export) -> Trashed:
    project = row.project if row.video is None else row.video.project
    assert project is not None
    return _shown(TrashKind.EXPORT, row, project)


def _object(row: Object) -> Trashed:
    assert row.deleted_at is not None
    project = row.video.project
    name = f"{row.name} in {row.video.name}"
    return Trashed(TrashKind.OBJECT, row.pk, name, project.pk, project.name, row.deleted_at, "", None)
