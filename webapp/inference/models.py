"""The database table of the workers that compute rounds."""

from __future__ import annotations

from django.db import models


class Worker(models.Model):
    """A process that computes rounds.

    It writes its heartbeat every second; a worker whose heartbeat is older than a few seconds counts as gone.
    """

    name = models.CharField(max_length=120, unique=True)
    pid = models.PositiveIntegerField()
    device = models.CharField(max_length=60)
    started_at = models.DateTimeField(auto_now_add=True)
    heartbeat = models.DateTimeField()
    draining = models.BooleanField(default=False)  # It finishes its round and begins no other one (draining.py).
