"""The events that webhooks are called for, and `tell`, with which the other parts report them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from webapp.webhooks.deliveries import DELIVERIES, time_after
from webapp.webhooks.models import Delivery, Webhook


class Event(StrEnum):
    VIDEO_READY = "video.ready"
    VIDEO_FAILED = "video.failed"
    ROUND_DONE = "round.done"
    ROUND_FAILED = "round.failed"
    ROUND_CANCELLED = "round.cancelled"
    JOB_CHANGED = "job.changed"
    EXPORT_DONE = "export.done"
    EXPORT_FAILED = "export.failed"
    IMPORT_DONE = "import.done"
    IMPORT_FAILED = "import.failed"
    PING = "ping"


TEXTS: dict[Event, str] = {
    Event.VIDEO_READY: "A video was imported and can be annotated.",
    Event.VIDEO_FAILED: "A video could not be imported.",
    Event.ROUND_DONE: "A round has computed all its masks.",
    Event.ROUND_FAILED: "A round has failed.",
    Event.ROUND_CANCELLED: "A round was cancelled, or a newer one has taken its place.",
    Event.JOB_CHANGED: "A job was assigned, moved to another stage or state, or changed otherwise.",
    Event.EXPORT_DONE: "An export can be downloaded.",
    Event.EXPORT_FAILED: "An export has failed.",
    Event.IMPORT_DONE: "An import of masks has brought them in.",
    Event.IMPORT_FAILED: "An import of masks has failed.",
    Event.PING: "Somebody pressed the test button. It is sent whatever events are chosen.",
}


def tell(project_id: int, event: Event, **data: Any) -> None:
    """Report an event to the webhooks of a project that want it.

    Call this function in the transaction of the change that it reports: workers are notified once that transaction has
    committed. `data` must be values that JSON has. A webhook that fails gets the event after the pause that its
    failures require.
    """
    hooks = Webhook.objects.filter(project_id=project_id, active=True)
    wanted = [hook for hook in hooks if not hook.events or event in hook.events]
    if not wanted:
        return
    body = body_of(project_id, event, data)
    for hook in wanted:
        delivery = Delivery(webhook=hook, event=event, body=body, next_at=time_after(hook.failures))
        delivery.save()  # SQLite before 3.35 does not return the ids of rows that are stored together.
        DELIVERIES.notify(delivery.pk)


def body_of(project_id: int, event: Event, data: dict[str, Any]) -> str:
    """Return the JSON that is sent for an event, in the form of the specification Standard Webhooks."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"type": event, "timestamp": now, "project": project_id, "data": data})
