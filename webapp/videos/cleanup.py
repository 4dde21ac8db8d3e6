"""Deletes the files of videos and uploads once a transaction that deleted their row has committed."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from webapp.tasks.sending import after_commit
from webapp.videos.models import Upload, Video
from webapp.videos.storage import set_aside, upload_path


@receiver(post_delete, sender=Video)
def remove_folder(sender: type[Video], instance: Video, **_: Any) -> None:
    after_commit(set_aside, instance.pk)


@receiver(post_delete, sender=Upload)
def remove_file(sender: type[Upload], instance: Upload, **_: Any) -> None:
    after_commit(partial(upload_path(instance.pk).unlink, missing_ok=True))
