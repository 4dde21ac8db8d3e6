"""The Celery task that sends notifications by mail. A worker for media runs it."""

from __future__ import annotations

from celery import shared_task

from webapp.notifications.mail import SEND, send_waiting


@shared_task(name=SEND)
def send_mail() -> None:
    send_waiting()
