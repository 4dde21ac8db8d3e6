"""Sends notifications by mail. A worker does it after the commit, and sweeps send what an unreachable server delayed.

What counts is the row: `mailed_at` is set before a mail is sent, so that two workers never send it twice. A worker that
is killed in between loses that mail; the notification is still on the page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from smtplib import SMTPException

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from webapp.accounts.models import User
from webapp.notifications.models import Notification
from webapp.tasks.sending import send_task

log = structlog.get_logger(__name__)

SEND = "notifications.send_mail"  # The Celery task.
MOST_ATTEMPTS = 5
MOST_AT_ONCE = 200  # The most notifications that one task sends.


def mail_is_set_up() -> bool:
    return bool(settings.SITE_URL)


def send_waiting() -> int:
    """Send the notifications that wait for it, those of one person in one mail. Return how many mails were sent."""
    by_person: defaultdict[int, list[Notification]] = defaultdict(list)
    for row in _claim():
        by_person[row.user_id].append(row)
    people = User.objects.filter(is_active=True).exclude(email="").in_bulk(by_person)
    sent = 0
    for user_id, rows in by_person.items():
        person = people.get(user_id)
        if person is not None:
            sent += send_or(_mail(person, rows), lambda rows=rows: _give_back(rows))  # type: ignore[misc]
    return sent


def send_or(mail: EmailMessage, give_back: Callable[[], object]) -> bool:
    """Send a mail, and return whether that worked. If not, the error is logged without the text of the mail, and
    `give_back` is called, which removes the caller's note that the mail was sent.

    This also holds for an address that Django cannot write into a header, so that the mails to other people still go
    out.
    """
    try:
        mail.connection = get_connection()
        mail.send()
    except (OSError, SMTPException, ValueError) as error:
        log.warning("mail_not_sent", to=mail.to, error=repr(error)[:300])
        give_back()
        return False
    return True


@transaction.atomic
def _claim() -> list[Notification]:
    waiting = Notification.objects.filter(by_mail=True, mailed_at=None, mail_attempts__lt=MOST_ATTEMPTS)
    rows = list(waiting.select_for_update(skip_locked=_can_skip()).order_by("pk")[:MOST_AT_ONCE])
    Notification.objects.filter(pk__in=[row.pk for row in rows]).update(
        mailed_at=Now(), mail_attempts=F("mail_attempts") + 1
    )
    return rows


def _can_skip() -> bool:
    return bool(transaction.get_connection().features.has_select_for_update_skip_locked)


def _give_back(rows: Sequence[Notification]) -> None:
    Notification.objects.filter(pk__in=[row.pk for row in rows]).update(mailed_at=None)


def _mail(person: User, rows: Sequence[Notification]) -> EmailMessage:
    subject = rows[0].text if len(rows) == 1 else f"{len(rows)} messages"
    parts = [f"{row.text}\n{settings.SITE_URL}{row.link}" if row.link else row.text for row in rows]
    foot = f"-- \nMaskwright. Which of these come by mail is chosen in your account: {settings.SITE_URL}/account"
    return message(person.email, subject, "\n\n".join([*parts, foot]))


def message(to: str, subject: str, body: str) -> EmailMessage:
    """Return a mail in plain text. Line breaks in the subject, which could add headers, become spaces."""
    return EmailMessage(f"Maskwright: {' '.join(subject.split())}"[:200], body, to=[to])


def sweep_mail() -> None:
    """Tell a worker of notifications that wait, for example because the mail server did not answer."""
    waiting = Notification.objects.filter(by_mail=True, mailed_at=None, mail_attempts__lt=MOST_ATTEMPTS)
    if mail_is_set_up() and waiting.exists():
        send_task(SEND)
