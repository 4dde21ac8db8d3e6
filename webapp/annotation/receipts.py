"""Receipts make a message that arrives twice take effect once.

After a broken connection a page sends again what was not acknowledged before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from webapp.accounts.models import User
from webapp.annotation.head import holding
from webapp.annotation.models import Receipt
from webapp.prepared import Call, Query, insert
from webapp.problems import Problem
from webapp.videos.models import Video

KEPT = timedelta(days=30)  # A page that was offline for longer loads everything anew.
_RECEIPT = Query(lambda key: Receipt.objects.filter(key=key)[:1], key=UUID)


def once(
    *, key: UUID | str, video: Video, author: User, act: Callable[[], int | None], ahead: Sequence[Call] = ()
) -> int | None:
    """Run `act` in a transaction and return its result. If `key` was seen before, return the first result instead.

    If `act` raises, no receipt is stored, so the same message can be sent again. `act` runs while the head of the video
    is locked, and is certain to make the queries `ahead`. Raises Problem "key_taken" if the key is of a message of
    somebody else or about another video.
    """
    given = UUID(str(key))
    # Of a message that arrives twice at the same time, the second one finds the receipt.
    with holding(video.pk, [_RECEIPT.call(key=given), *ahead]):
        receipt = _RECEIPT.first(key=given)
        if receipt is None:
            return insert(Receipt(key=key, video=video, author=author, result=act())).result
        if (receipt.video_id, receipt.author_id) != (video.pk, author.pk):
            raise Problem("key_taken", "This message has the key of another one. Reload the page.", 409)
        return receipt.result


def forget_old() -> int:
    """Delete the receipts that are older than `KEPT`, and return how many there were."""
    return Receipt.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]
