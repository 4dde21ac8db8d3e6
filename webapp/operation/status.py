"""Reads the status of a running site for administrators, and lets them pause queues, drain workers and cancel tasks."""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

import django
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Now

from webapp.accounts.models import User
from webapp.annotation.claims import ROUNDS
from webapp.annotation.export.jobs import stop_export
from webapp.annotation.head import hold
from webapp.annotation.imports.jobs import stop_mask_import
from webapp.annotation.models import Export, ExportState, Round
from webapp.annotation.rounds import stop
from webapp.audit.entries import Thing, record
from webapp.inference.models import Worker
from webapp.inference.workers import ALIVE_WITHIN, drain
from webapp.operation.queues import LEASES, WAITING_SINCE, running_in, waiting_in
from webapp.problems import NotFound
from webapp.projects.models import Project
from webapp.tasks.lease import Lease
from webapp.tasks.models import PausedQueue, Queue
from webapp.videos.import_queue import IMPORTS, cancel_import
from webapp.videos.models import Video, VideoState

MOST_RUNNING = 200  # The most tasks and projects that are listed.


@dataclass(frozen=True)
class QueueStatus:
    """A queue. `waiting` and `running` count all tasks in it.

    "rounds" has rounds; "imports" has imports of videos and of masks, and fetches of files; "exports" has exports, the
    work on consensuses, and the deliveries to webhooks that are due. `oldest_seconds` is how long the oldest of those
    that wait has waited; 0 if none waits.
    """

    name: Queue
    waiting: int
    running: int
    oldest_seconds: float
    paused: bool
    paused_by: str | None
    paused_at: datetime | None


@dataclass(frozen=True)
class WorkerInfo:
    """A worker for rounds or, with an empty `device`, for imports and exports.

    `silent_seconds` is the age of its heartbeat, `round` the id of the round that it computes, and `task` the name of
    the task that it runs. A worker that is `draining` finishes its task and begins no other one; without a task it may
    be switched off.
    """

    name: str
    device: str
    alive: bool
    started_at: datetime
    silent_seconds: float
    round: int | None
    task: str
    draining: bool


@dataclass(frozen=True)
class RunningTask:
    """A round, an import or an export that a worker has claimed.

    `done` of `total` steps are done; `total` is 0 if it is unknown.
    """

    kind: str
    id: int
    project: int | None
    project_name: str
    video: int | None
    video_name: str
    by: str
    done: int
    total: int
    stopping: bool


@dataclass(frozen=True)
class ProjectStorage:
    """The space that a project takes: the files of its videos, and those of its exports."""

    project: int
    name: str
    in_trash: bool
    videos: int
    frames: int
    video_bytes: int
    export_bytes: int


@dataclass(frozen=True)
class SiteStatus:
    """The state of the site. `disk_free` and `disk_total` are bytes of the disk of the data folder.

    `running` has the first 200 rounds, imports of videos, imports of masks and exports each, and `storage` the 200
    projects that take most space.
    """

    versions: dict[str, str]
    team: bool
    disk_free: int
    disk_total: int
    queues: list[QueueStatus]
    workers: list[WorkerInfo]
    running: list[RunningTask]
    storage: list[ProjectStorage]


def site_status() -> SiteStatus:
    """Read the status from the database, with a number of queries that does not depend on the size of the site."""
    disk = shutil.disk_usage(settings.HOME)
    return SiteStatus(
        versions=_versions(),
        team=settings.TEAM_MODE,
        disk_free=disk.free,
        disk_total=disk.total,
        queues=_queues(),
        workers=_workers(),
        running=[_task(kind, row) for kind, lease in LEASES.items() for row in _claimed(lease)],
        storage=_storage(),
    )


@transaction.atomic
def pause(queue: Queue, by: User) -> None:
    """Let no worker begin a task of this queue until `resume`. Running tasks go on. Pausing twice changes nothing."""
    _, made = PausedQueue.objects.get_or_create(queue=queue, defaults={"paused_by": by})
    if made:
        record(by, "queue.pause", Thing("queue", None, queue))


@transaction.atomic
def resume(queue: Queue, by: User) -> None:
    """End a pause, and tell the workers what waits."""
    if PausedQueue.objects.filter(queue=queue).delete()[0]:
        record(by, "queue.resume", Thing("queue", None, queue))
        for lease in WAITING_SINCE:
            if lease.queue == queue:
                lease.notify_all()


@transaction.atomic
def drain_worker(name: str, draining: bool, by: User) -> None:
    """Let a worker finish its task and begin no other one, or let it begin tasks again.

    Raises NotFound if there is no such worker.
    """
    try:
        changed = drain(name, draining=draining)
    except Worker.DoesNotExist:
        raise NotFound("worker") from None
    if changed:
        record(by, "worker.drain" if draining else "worker.resume", Thing("worker", None, name))
        if not draining:
            ROUNDS.notify_all()


@transaction.atomic
def cancel_task(kind: str, task_id: int, by: User) -> None:
    """Ask a running task to stop, whoever started it. One that has ended stays as it is.

    Raises NotFound if there is no such task.
    """
    lease = LEASES.get(kind)
    row = None if lease is None else lease.model._default_manager.filter(pk=task_id).first()
    if row is None:
        raise NotFound("task")
    if isinstance(row, Round):
        hold(row.video_id)
        stop(Round.objects.select_related("author").get(pk=row.pk), by)
    elif isinstance(row, Video):
        cancel_import(video=row)
    elif isinstance(row, Export):
        stop_export(row.pk)
    else:
        stop_mask_import(row)
    record(by, "task.cancel", Thing(kind, task_id), project_id=_project_of(row))


def _versions() -> dict[str, str]:
    return {
        "Maskwright": version("maskwright"),
        "Python": platform.python_version(),
        "Django": django.get_version(),
        "PyTorch": version("torch"),
        "Database": connection.vendor,
    }


def _queues() -> list[QueueStatus]:
    paused = {row.queue: row for row in PausedQueue.objects.select_related("paused_by")}
    found = []
    for queue in Queue:
        waiting, oldest_seconds = waiting_in(queue)
        pause = paused.get(queue)
        found.append(
            QueueStatus(
                name=queue,
                waiting=waiting,
                running=running_in(queue),
                oldest_seconds=oldest_seconds,
                paused=pause is not None,
                paused_by=pause.paused_by.shown_name if pause is not None and pause.paused_by is not None else None,
                paused_at=None if pause is None else pause.paused_at,
            )
        )
    return found


def _workers() -> list[WorkerInfo]:
    computed = dict(ROUNDS.running().values_list("worker", "pk"))
    rows = Worker.objects.annotate(now=Now()).order_by("name")
    return [
        WorkerInfo(
            name=row.name,
            device=row.device,
            alive=row.now - row.heartbeat <= ALIVE_WITHIN,
            started_at=row.started_at,
            silent_seconds=round((row.now - row.heartbeat).total_seconds(), 1),
            round=computed.get(row.name),
            task=row.task,
            draining=row.draining,
        )
        for row in rows
    ]


def _claimed(lease: Lease[Any]) -> QuerySet[Any]:
    """Return the tasks that workers have claimed, with the related rows that `_task` reads."""
    if lease is IMPORTS:
        return lease.running().select_related("project", "created_by")[:MOST_RUNNING]
    if lease is ROUNDS:
        return lease.running().select_related("video__project", "author")[:MOST_RUNNING]
    return lease.running().select_related("video__project", "project", "author")[:MOST_RUNNING]


def _task(kind: str, row: Any) -> RunningTask:
    video = row if isinstance(row, Video) else row.video
    project = row.project if isinstance(row, Video) or video is None else video.project
    author = row.created_by if isinstance(row, Video) else row.author
    return RunningTask(
        kind=kind,
        id=row.pk,
        project=project.pk,
        project_name=project.name,
        video=None if video is None else video.pk,
        video_name="" if video is None else video.name,
        by=author.shown_name,
        done=row.progress_done,
        total=row.progress_total,
        stopping=row.cancel_requested,
    )


def _project_of(row: Any) -> int | None:
    if isinstance(row, Video):
        return row.project_id
    return row.video.project_id if row.video is not None else row.project_id


def _storage() -> list[ProjectStorage]:
    """Return the projects that take most space, largest first."""

    def total(rows: QuerySet[Any], column: str) -> Coalesce:
        summed = rows.order_by().values(column).annotate(sum=Sum("size_bytes")).values("sum")
        return Coalesce(Subquery(summed), 0)

    ready = Video.objects.filter(project=OuterRef("pk"), state=VideoState.READY, is_copy=False)
    done = Export.objects.filter(state=ExportState.DONE)
    rows = Project.objects.annotate(
        video_count=Count("videos"),
        frames=Coalesce(Sum("videos__frame_count"), 0),
        video_bytes=total(ready, "project"),
        project_exports=total(done.filter(project=OuterRef("pk")), "project"),
        video_exports=total(done.filter(video__project=OuterRef("pk")), "video__project"),
    ).order_by((F("video_bytes") + F("project_exports") + F("video_exports")).desc(), "pk")
    return [
        ProjectStorage(
            project=row.pk,
            name=row.name,
            in_trash=row.deleted_at is not None,
            videos=row.video_count,
            frames=row.frames,
            video_bytes=row.video_bytes,
            export_bytes=row.project_exports + row.video_exports,
        )
        for row in rows[:MOST_RUNNING]
    ]
