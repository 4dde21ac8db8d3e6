"""The queues that an administrator has paused."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Queue(models.TextChoices):
    """The kinds of background work that can be paused apart from each other."""

    ROUNDS = "rounds"
    IMPORTS = "imports"  # of videos and of masks, and fetches of files
    EXPORTS = "exports"  # also the work on consensuses and deliveries to webhooks


class PausedQueue(models.Model):
    """While this row exists, no worker begins a task of the queue. Tasks that run already go on."""

    queue = models.CharField(max_length=12, choices=Queue.choices, unique=True)
    paused_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    paused_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.queue
