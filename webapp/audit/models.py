"""The rows of the audit log."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class AuditEntry(models.Model):
    """One thing that a person, or Maskwright by itself, did. Rows are written once and not changed afterwards.

    The project and the thing are stored as numbers and names instead of foreign keys, because an entry outlives what it
    is about.
    """

    at = models.DateTimeField(db_default=Now(), editable=False)
    who = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    who_name = models.CharField(max_length=150, blank=True)  # The user name; empty if `record` was called without one.
    project_id = models.PositiveBigIntegerField(null=True)
    action = models.CharField(max_length=40)  # What was done: "member.add", "video.delete", "sign_in".
    kind = models.CharField(max_length=20)  # What kind of thing it was done to: "user", "video", "job".
    thing_id = models.PositiveBigIntegerField(null=True)
    thing_name = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict)  # Values before and after, such as {"role": ["viewer", "annotator"]}.

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["project_id", "-id"]), models.Index(fields=["who", "-id"])]
