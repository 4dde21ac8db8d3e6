"""Webhooks of projects, and their deliveries."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from webapp.projects.models import Project
from webapp.tasks.lease import LeasedTask


class Webhook(models.Model):
    """A URL that is called when something happens in a project.

    The secret is stored unhashed, because every delivery is signed with it.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="webhooks")
    url = models.CharField(max_length=1000)
    events = models.JSONField(default=list)  # The names of the events it is called for; empty: all.
    secret = models.CharField(max_length=80)
    active = models.BooleanField(default=True)
    note = models.CharField(max_length=300, blank=True)  # Why it was switched off.
    failures = models.PositiveIntegerField(default=0)  # Failed attempts since the last success or switching on.
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]


class DeliveryState(models.TextChoices):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class Delivery(LeasedTask):
    """An event that a webhook is called for, with what was answered last. Workers hold a lease on the row while they
    make a call.
    """

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    message_id = models.UUIDField(default=uuid.uuid4)  # A delivery that is repeated has the same.
    event = models.CharField(max_length=40)
    body = models.TextField()  # The JSON that is sent, so that a repeated delivery has the same bytes.
    state = models.CharField(max_length=12, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    next_at = models.DateTimeField(db_default=Now())  # It waits at least until then.
    status = models.PositiveSmallIntegerField(null=True)  # The HTTP status of the last answer.
    answer = models.TextField(blank=True)  # The beginning of its body.
    error = models.TextField(blank=True)  # Why there was no answer, or not a good one.
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["webhook", "-id"]),
            models.Index(fields=["next_at"], condition=models.Q(state="waiting"), name="delivery_waiting"),
            models.Index(fields=["heartbeat"], condition=models.Q(state="sending"), name="delivery_sending"),
        ]
