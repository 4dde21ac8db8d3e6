"""Human time: how long people worked on each object of a video. The page measures it and leaves out idle time."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from webapp.accounts.models import User
from webapp.annotation.models import HumanTime
from webapp.videos.models import Video


@transaction.atomic
def add_seconds(*, video: Video, author: User, object_id: int, seconds: float) -> None:
    """Add to the time that `author` worked on an object of a video; object 0 means that none was selected."""
    today = timezone.now().date()
    row, _ = HumanTime.objects.get_or_create(video=video, object_id=object_id, author=author, day=today)
    HumanTime.objects.filter(pk=row.pk).update(seconds=F("seconds") + seconds)
