"""Once a transaction that deleted a row has committed, marks the files of the video for the sweep, which removes them,
or removes the file of the upload.
"""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from webapp.storage.files import storage
from webapp.tasks.sending import after_commit
from webapp.videos.models import Upload, Video
from webapp.videos.storage import VIDEOS
from webapp.videos.upload_files import remove_upload


@receiver(post_delete, sender=Video)
def remove_folder(sender: type[Video], instance: Video, **_: Any) -> None:
    after_commit(_set_aside, instance.pk)


def _set_aside(video_id: int) -> None:
    storage().set_aside(VIDEOS, str(video_id))


@receiver(post_delete, sender=Upload)
def remove_file(sender: type[Upload], instance: Upload, **_: Any) -> None:
    after_commit(remove_upload, instance.pk)
