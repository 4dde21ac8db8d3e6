"""The base of rows that can be put into the trash: projects, videos, exports and labels.

A row in the trash has `deleted_at`. After `KEPT` in the trash, or when somebody empties the trash, `removing` is set:
from then on nobody can bring it back, and a worker deletes the row and its files.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from webapp.accounts.models import User
from webapp.tasks.sending import send_task

KEPT = timedelta(days=30)
REMOVE = "overview.remove"  # The Celery task that deletes what is marked with `removing` (overview/removal.py).


class Deletable(models.Model):
    """The columns of a row that can be put into the trash."""

    deleted_at = models.DateTimeField(null=True)
    deleted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    removing = models.BooleanField(default=False)

    class Meta:
        abstract = True


def put_into_trash(row: Deletable, by: User) -> None:
    """Put a row into the trash. Nobody but those who look into the trash sees it from then on."""
    type(row)._default_manager.filter(pk=row.pk, deleted_at=None).update(deleted_at=Now(), deleted_by=by)


def remove(row: Deletable, by: User) -> None:
    """Delete a row for good, instead of putting it into the trash.

    Nobody sees it from then on. A worker deletes the row and everything that belongs to it after the transaction.
    """
    type(row)._default_manager.filter(pk=row.pk).update(deleted_at=Now(), deleted_by=by, removing=True)
    send_task(REMOVE)
