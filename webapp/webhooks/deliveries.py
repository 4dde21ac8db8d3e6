"""Delivers events to webhooks: what is due is sent by a worker, what fails is tried again later.

A delivery arrives at least once: a worker that is lost after the call and before it has stored the answer leads to
another call, with the same `Webhook-Id`. Deliveries may arrive in another order than they were made.
"""

from __future__ import annotations

import time
from datetime import timedelta
from urllib.parse import urlsplit

import structlog
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from webapp.notifications.kinds import Kind
from webapp.notifications.notify import notify
from webapp.outgoing import Unreachable, request
from webapp.problems import Problem
from webapp.projects.access import present_members
from webapp.tasks.lease import Lease, Limits
from webapp.tasks.models import Queue
from webapp.tasks.sending import send_task
from webapp.webhooks.models import Delivery, DeliveryState, Webhook
from webapp.webhooks.signing import signed_headers

log = structlog.get_logger(__name__)

TASK = "webhooks.deliver"
# The pause in seconds after the first, second ... failure in a row. Later ones have the last.
PAUSES = (10, 60, 300, 1800, 7200, 21600)
MOST_ATTEMPTS = 8  # of one delivery
MOST_FAILURES = 10  # in a row, of all deliveries of a webhook; then it is switched off. That takes more than a day.
EXCERPT = 1000  # characters of an answer that are kept
ANSWER_SECONDS = 10.0  # An answer that is longer in coming is cut off.
KEPT = timedelta(days=30)


class DeliveryLease(Lease[Delivery]):
    """The lease of deliveries. A call takes at most some 30 seconds."""

    queue = Queue.EXPORTS  # Whoever pauses exports holds back what goes out by webhooks, too.

    def notify(self, pk: int) -> None:
        send_task(TASK, pk)

    def waiting(self) -> QuerySet[Delivery]:
        return super().waiting().filter(next_at__lte=Now())

    def is_wanted(self, task: Delivery) -> bool:
        return task.webhook.active

    def end_lost(self, task: Delivery) -> None:
        self.held(task.pk, task.fence).update(state=DeliveryState.FAILED, error="The worker that sent it stopped.")


DELIVERIES = DeliveryLease(
    Delivery,
    waiting=DeliveryState.WAITING,
    running=DeliveryState.SENDING,
    limits=Limits(
        stale_after=timedelta(seconds=40), notify_again_after=timedelta(seconds=30), max_attempts=MOST_ATTEMPTS
    ),
)


def deliver(delivery_id: int) -> None:
    """Make the call of a delivery and store its answer.

    Does nothing if it is not due, another worker has it, or exports are paused.
    """
    delivery = DELIVERIES.claim(delivery_id)
    if delivery is None:
        return
    try:
        status, answer = _call(delivery)
    except (Problem, Unreachable) as problem:
        _failed(delivery, error=str(problem))
        return
    except Exception:
        log.exception("delivery_failed", delivery=delivery.pk)
        _failed(delivery, error="The call could not be made by a fault of the program; the log names it.")
        return
    if 200 <= status < 300:
        _sent(delivery, status, answer)
    elif 300 <= status < 400:
        _failed(delivery, status, answer, "Redirects are not followed. Give the webhook the address that it leads to.")
    else:
        _failed(delivery, status, answer, f"The answer was {status} instead of 200 to 299.")


def _call(delivery: Delivery) -> tuple[int, str]:
    """Send a delivery and return the status and the beginning of the answer. Raises Problem and Unreachable."""
    body = delivery.body.encode()
    headers = signed_headers(delivery.webhook.secret, str(delivery.message_id), int(time.time()), body)
    given, until = b"", time.monotonic() + ANSWER_SECONDS
    with request("POST", delivery.webhook.url, headers=headers, content=body) as answer:
        for part in answer.parts:
            given += part[:EXCERPT]
            if len(given) >= EXCERPT or time.monotonic() > until:
                break
    return answer.response.status_code, given.decode("utf-8", "replace").replace("\0", "")[:EXCERPT]


@transaction.atomic
def _sent(delivery: Delivery, status: int, answer: str) -> None:
    """Store that a call succeeded. Deliveries of the same webhook that were postponed because earlier ones failed are
    due at once.
    """
    hook = _lock(delivery)
    columns = {"status": status, "answer": answer, "error": "", "heartbeat": None}
    if hook is None or not DELIVERIES.held(delivery.pk, delivery.fence).update(state=DeliveryState.SENT, **columns):
        return
    if hook.failures:
        Webhook.objects.filter(pk=hook.pk).update(failures=0)
        untried = Delivery.objects.filter(webhook=hook, state=DeliveryState.WAITING, attempts=0)
        untried.filter(next_at__gt=Now()).update(next_at=Now())


@transaction.atomic
def _failed(delivery: Delivery, status: int | None = None, answer: str = "", error: str = "") -> None:
    """Store that a call failed. It is tried again after a pause, in which other deliveries of its webhook wait, too.

    It is not tried again after `MOST_ATTEMPTS` attempts, or if the webhook is switched off.
    """
    hook = _lock(delivery)
    if hook is None:
        return
    held = DELIVERIES.held(delivery.pk, delivery.fence)
    columns = {"status": status, "answer": answer, "error": error, "heartbeat": None}
    again = hook.active and delivery.attempts < MOST_ATTEMPTS
    state = DeliveryState.WAITING if again else DeliveryState.FAILED
    if not held.update(state=state, next_at=time_after(max(delivery.attempts, hook.failures + 1)), **columns):
        return
    Webhook.objects.filter(pk=hook.pk).update(failures=F("failures") + 1)
    if hook.failures + 1 >= MOST_FAILURES and hook.active:
        switch_off(hook, f"It failed {MOST_FAILURES} times in a row. {error}")
        return
    others = Delivery.objects.filter(webhook=hook, state=DeliveryState.WAITING, heartbeat=None)
    until = time_after(hook.failures + 1)
    others.filter(next_at__lt=until).update(next_at=until)


def _lock(delivery: Delivery) -> Webhook | None:
    """Lock the webhook of a delivery and return it, or None if it was removed.

    Whoever changes a webhook and its deliveries locks the webhook first, so that no two wait for each other.
    """
    hooks = Webhook.objects.select_for_update(of=("self",)).select_related("project")
    return hooks.filter(pk=delivery.webhook_id).first()


def time_after(failures: int) -> Combinable:
    """Return when a webhook is called next after so many failures in a row: now if there was none, or after a pause.

    A pause of 0 is not added. SQLite compares times as text, and would write the sum with more digits than `Now()`, so
    that it would not be due before the next millisecond.
    """
    return Now() + timedelta(seconds=PAUSES[min(failures, len(PAUSES)) - 1]) if failures else Now()


def shown_url(url: str) -> str:
    """Return the URL of a webhook for logs and notifications, without its path, which may be a secret of the other
    server.
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}" + ("/..." if parts.path.strip("/") or parts.query else "")


def switch_off(hook: Webhook, why: str) -> None:
    """Switch a webhook off, and mark its waiting deliveries as failed. Notify who made it, if still a member."""
    Webhook.objects.filter(pk=hook.pk).update(active=False, note=why[:300])
    waiting = Delivery.objects.filter(webhook=hook, state=DeliveryState.WAITING)
    waiting.update(state=DeliveryState.FAILED, error="The webhook was switched off.")
    text = f"The webhook {shown_url(hook.url)} of {hook.project.name} was switched off. {why}"
    link = f"/projects/{hook.project_id}/settings"
    made_by = [] if hook.created_by_id is None else present_members(hook.project_id, [hook.created_by_id])
    notify(made_by, Kind.WEBHOOK_OFF, text, link=link, project_id=hook.project_id)


def forget_old_deliveries() -> None:
    """Delete deliveries that are older than `KEPT` and have ended. Workers call this regularly."""
    ended = (DeliveryState.SENT, DeliveryState.FAILED)
    Delivery.objects.filter(state__in=ended, created_at__lt=Now() - KEPT).delete()
