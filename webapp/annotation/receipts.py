"""Receipts make a message that arrives twice take effect once.

After a broken connection a browser sends again what was not acknowledged before.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from webapp.accounts.models import User
from webapp.annotation.models import Receipt
from webapp.problems import Problem
from webapp.videos.models import Video

KEPT = timedelta(days=30)  # A page that was offline for longer loads everything anew.


def once(*, key: UUID | str, video: Video, author: User, act: Callable[[], int | None]) -> int | None:
    """Run `act` in a transaction and return its result. If `key` was seen before, return the first result instead.

    If `act` raises, no receipt is stored, so the same message can be sent again.
    """
    with transaction.atomic():
        receipt, new = Receipt.objects.get_or_create(key=key, defaults={"video": video, "author": author})
        if new:
            receipt.result = act()
            receipt.save(update_fields=["result"])
        elif (receipt.video_id, receipt.author_id) != (video.pk, author.pk):
            raise Problem("key_taken", "This message has the key of another one. Reload the page.", 409)
        return receipt.result


def forget_old() -> int:
    """Delete the receipts that are older than `KEPT`, and return how many there were."""
    return Receipt.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]
