"""The Celery task that sends invitations by mail. A worker for media runs it."""

from __future__ import annotations

from celery import shared_task

from webapp.projects.invitation_mail import mail_waiting
from webapp.projects.invitations import MAIL


@shared_task(name=MAIL)
def mail_invitations() -> None:
    mail_waiting()
