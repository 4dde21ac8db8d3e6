"""The database table of the workers: those that compute rounds, and those for imports and exports."""

from __future__ import annotations

from django.db import models


class Worker(models.Model):
    """A process that computes rounds or, with an empty `device`, does imports and exports.

    It writes its heartbeat every second; a worker whose heartbeat is older than a few seconds counts as gone.
    """

    name = models.CharField(max_length=120, unique=True)
    pid = models.PositiveIntegerField()
    device = models.CharField(max_length=60, blank=True)
    task = models.CharField(max_length=100, blank=True)  # The name of the Celery task that it runs, empty if none.
    started_at = models.DateTimeField(auto_now_add=True)
    heartbeat = models.DateTimeField()
    draining = models.BooleanField(default=False)  # It finishes its task and begins no other one (tasks/intake.py).
    # In bytes, with 0 for what is not known (inference/memory.py). The last two are of its whole GPU.
    memory = models.PositiveBigIntegerField(default=0)
    device_memory = models.PositiveBigIntegerField(default=0)
    device_memory_size = models.PositiveBigIntegerField(default=0)
