"""The table that holds the id of this site."""

from __future__ import annotations

from uuid import uuid4

from django.db import models

ROW = 1  # The id of the only row.


class SiteId(models.Model):
    """The id that a database shares with the stored files that belong to it (storage/site_id.py). The table has one
    row.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=ROW)
    value = models.UUIDField(default=uuid4)

    def __str__(self) -> str:
        return str(self.value)
