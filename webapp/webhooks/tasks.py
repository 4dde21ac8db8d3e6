"""The Celery task that delivers to webhooks. A worker for media runs it."""

from __future__ import annotations

from celery import shared_task

from webapp.webhooks.deliveries import TASK, deliver


@shared_task(name=TASK)
def deliver_event(delivery_id: int) -> None:
    deliver(delivery_id)
