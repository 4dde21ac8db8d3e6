"""Previews: the mask that a frame would get from the waiting scribbles of a person, and perhaps a click.

A page asks for a preview and a worker answers, or skips it after `FRESH`. Request and answer are one row, which the web
process deletes when it takes the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from webapp.accounts.models import User
from webapp.annotation.bounds import check_frame
from webapp.annotation.models import Preview
from webapp.annotation.notify import notify_followers, notify_previewer
from webapp.prepared import Query
from webapp.videos.models import Video

# Workers skip older requests. A slow machine may take seconds for the first preview, because it loads the engine.
FRESH = timedelta(seconds=20)
NOTHING = b""  # The answer to a preview that has nothing to show.

_WAITING = Query(
    lambda: Preview.objects.filter(data=None, created_at__gte=Now() - FRESH).order_by("pk").values_list("pk", flat=True)
)
_VIDEO = Query(
    lambda preview_id: Preview.objects.filter(pk=preview_id).values_list("video_id", flat=True), preview_id=int
)
_DATA = Query(lambda preview_id: Preview.objects.filter(pk=preview_id).values_list("data", flat=True), preview_id=int)


@transaction.atomic
def ask_preview(*, video: Video, author: User, frame: int, engine: str, click: Mapping[str, Any] | None) -> int:
    """Ask the workers for a preview and return its id.

    It replaces the one that the same person asked for before in this video. Raises Problem "not_ready" or "bad_frame".
    """
    check_frame(video, frame)
    Preview.objects.filter(video=video, author=author).delete()
    Preview.objects.filter(created_at__lt=Now() - 10 * FRESH).delete()
    asked = Preview.objects.create(video=video, author=author, frame=frame, engine=engine, click=click)
    notify_previewer(asked.pk)
    return asked.pk


def waiting_previews() -> list[int]:
    """Return the ids of the previews that somebody still waits for, oldest first."""
    return _WAITING.rows()


def answer_preview(preview_id: int, data: bytes) -> None:
    """Store the answer to a preview, and tell the web process that waits for it."""
    if Preview.objects.filter(pk=preview_id).update(data=data):
        for video_id in _VIDEO.rows(preview_id=preview_id):
            notify_followers(video_id)


def take_preview(preview_id: int) -> bytes | None:
    """Return the answer to a preview and delete its row. Return None if there is no answer yet.

    Returns NOTHING for a preview that a newer request of the same person has replaced.
    """
    found = _DATA.rows(preview_id=preview_id)
    if not found:
        return NOTHING
    if found[0] is None:
        return None
    Preview.objects.filter(pk=preview_id).delete()
    return bytes(found[0])
