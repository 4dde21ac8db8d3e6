"""Sends invitations by mail, where the site has a mail server.

Only a hash is stored of the secret in the link that the page shows. So a worker makes another secret, for the link in
the mail.
"""

from __future__ import annotations

from django.conf import settings
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from webapp.notifications.mail import MOST_ATTEMPTS, mail_is_set_up, message, send_or
from webapp.projects.invitations import MAIL, hashed, new_secret
from webapp.projects.models import Invitation
from webapp.tasks.sending import send_task


def mail_waiting() -> int:
    """Send the invitations that wait for it. Return how many were sent."""
    return sum(_mail(pk) for pk in _waiting().order_by("pk").values_list("pk", flat=True))


def _waiting() -> QuerySet[Invitation]:
    return Invitation.objects.filter(
        by_mail=True, mailed_at=None, used_at=None, expires_at__gt=Now(), mail_attempts__lt=MOST_ATTEMPTS
    )


def _mail(pk: int) -> bool:
    secret = new_secret()
    unsent = Invitation.objects.filter(pk=pk, mailed_at=None, used_at=None)
    if not unsent.update(mailed_at=Now(), mail_attempts=F("mail_attempts") + 1, mail_hash=hashed(secret)):
        return False  # Another worker was quicker.
    invitation = Invitation.objects.select_related("project", "created_by").get(pk=pk)
    by, project = invitation.created_by.shown_name, invitation.project.name
    body = (
        f"{by} invites you to {project} on Maskwright, as {invitation.role}. This link lets you join, once, until "
        f"{invitation.expires_at:%Y-%m-%d}:\n\n{settings.SITE_URL}/invitation/{secret}\n\n"
        "If you do not know what this is about, you need not do anything."
    )
    mail = message(invitation.email, f"{by} invites you to {project}", body)
    return send_or(mail, lambda: Invitation.objects.filter(pk=pk).update(mailed_at=None))


def sweep_invitations() -> None:
    """Tell a worker of invitations that wait to be sent."""
    if mail_is_set_up() and _waiting().exists():
        send_task(MAIL)
