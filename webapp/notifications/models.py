"""Notifications, and which kinds of them each person has switched off."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Notification(models.Model):
    """A sentence for one person, with the address on the page that it leads to.

    `project_id` is a number instead of a foreign key, because this app knows nothing of projects. By it the
    notification is hidden from tokens of other projects, and deleted when the person is no longer a member.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=20)  # A value of kinds.Kind.
    text = models.CharField(max_length=400)
    link = models.CharField(max_length=300, blank=True)  # An address on the page, beginning with a slash.
    project_id = models.PositiveBigIntegerField(null=True)
    at = models.DateTimeField(db_default=Now(), editable=False)
    on_page = models.BooleanField(default=True)  # False: it is only sent by mail.
    read_at = models.DateTimeField(null=True)
    by_mail = models.BooleanField(default=False)
    mailed_at = models.DateTimeField(null=True)  # When a worker sent the mail, or began to.
    mail_attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["user", "-id"]),
            models.Index(fields=["user"], condition=Q(read_at=None, on_page=True), name="notification_unread"),
            models.Index(fields=["id"], condition=Q(by_mail=True, mailed_at=None), name="notification_unmailed"),
        ]


class Switch(models.Model):
    """Whether a person gets one kind of notification on the page, and by mail. Without a row they get it on both."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)
    on_page = models.BooleanField(default=True)
    by_mail = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="switch_once_per_kind")]
