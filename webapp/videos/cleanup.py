"""Deletes files after the transaction that deleted their row, whoever deleted it."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from webapp.videos.models import Upload, Video
from webapp.videos.storage import folder_of, upload_path


@receiver(post_delete, sender=Video)
def remove_folder(sender: type[Video], instance: Video, **_: Any) -> None:
    # Robust: the rows are gone; a folder that cannot be deleted is logged and must not look like a failed request.
    transaction.on_commit(folder_of(instance.pk).remove, robust=True)


@receiver(post_delete, sender=Upload)
def remove_file(sender: type[Upload], instance: Upload, **_: Any) -> None:
    transaction.on_commit(partial(upload_path(instance.pk).unlink, missing_ok=True), robust=True)
