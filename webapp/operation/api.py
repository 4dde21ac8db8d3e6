"""REST calls of the status page, for administrators."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Router, Status

from webapp.accounts.api import signed_in
from webapp.accounts.models import User
from webapp.operation import status
from webapp.operation.status import SiteStatus
from webapp.problems import Forbidden, NotFound
from webapp.rest import ErrorAnswer, Strict
from webapp.tasks.models import Queue

router = Router(tags=["operation"])


class QueuePatch(Strict):
    paused: bool


class WorkerPatch(Strict):
    draining: bool


@router.get("/status", response={200: SiteStatus, 403: ErrorAnswer})
def get_status(request: HttpRequest) -> SiteStatus:
    """Return queues, workers, running work, storage and versions of the whole site. Only administrators may read it."""
    administrator(request)
    return status.site_status()


@router.patch("/status/queues/{queue}", response={200: SiteStatus, (403, 404): ErrorAnswer})
def change_queue(request: HttpRequest, queue: str, body: QueuePatch) -> SiteStatus:
    """Pause a queue (rounds, imports or exports), so that no worker begins a task of it, or end its pause."""
    by = administrator(request)
    if queue not in Queue:
        raise NotFound("queue")
    change = status.pause if body.paused else status.resume
    change(Queue(queue), by)
    return status.site_status()


@router.patch("/status/workers/{worker}", response={200: SiteStatus, (403, 404): ErrorAnswer})
def change_worker(request: HttpRequest, worker: str, body: WorkerPatch) -> SiteStatus:
    """Drain a worker, so that it finishes its task and begins no other one, or let it begin tasks again."""
    status.drain_worker(worker, body.draining, administrator(request))
    return status.site_status()


@router.post("/status/running/{task_kind}/{int:task_id}/cancel", response={204: None, (403, 404): ErrorAnswer})
def cancel_running_task(request: HttpRequest, task_kind: str, task_id: int) -> Status[None]:
    """Ask a running task to stop. `task_kind` is round, import, mask_import or export."""
    status.cancel_task(task_kind, task_id, administrator(request))
    return Status(204, None)


def administrator(request: HttpRequest) -> User:
    """Return the administrator who makes a request. Raises Forbidden for everybody else, and for tokens of projects."""
    user = signed_in(request)
    if not user.is_superuser or user.token_projects is not None:
        raise Forbidden("Only administrators may see and change how the site runs.")
    return user
