"""Lets a call that creates something take effect once, however often it is sent with the same Idempotency-Key.

The effect of the call and its answer are committed together. So after a crash there is either both or neither, and in
the second case the call can be made again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse

from webapp.problems import Problem
from webapp.repetition.models import KeptAnswer

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT = timedelta(hours=24)
LOST_AFTER = timedelta(minutes=5)  # A call that runs for longer was stopped, and its effect was not committed.
VALID = re.compile(r"[\x21-\x7e]{1,200}")


def once(request: HttpRequest, run: Callable[[], HttpResponse]) -> HttpResponse:
    """Return the answer of `run`, or the kept answer of the same call if it was made before with the same key.

    The answer is kept only if the call succeeded: a call that was refused changed nothing and can be made again.

    Raises Problem: "bad_key"; "key_used" (422) if the key came with another call; "still_running" (409).
    """
    key = request.headers[HEADER]
    if not VALID.fullmatch(key):
        raise Problem("bad_key", f"The header {HEADER} takes 1 to 200 visible ASCII characters.", 400, field=HEADER)
    digest = _digest(request)
    row = _reserve(request, key, digest)
    if row.status is not None:
        return _answer_of(row)
    try:
        return _run_and_keep(row, run)
    finally:
        KeptAnswer.objects.filter(pk=row.pk, status=None).delete()


def _reserve(request: HttpRequest, key: str, digest: str) -> KeptAnswer:
    """Return a new row that reserves `key` for this call, or the row with the kept answer if the same call has ended.

    Raise Problem "key_used" if another call came with that key, and "still_running" while the same call runs.
    """
    user_id = request.user.pk or 0  # Only calls of somebody who is signed in come here.
    rows = KeptAnswer.objects.filter(user_id=user_id, key=key)
    rows.filter(created_at__lt=Now() - KEPT).delete()
    rows.filter(status=None, created_at__lt=Now() - LOST_AFTER).delete()
    try:
        with transaction.atomic():
            return KeptAnswer.objects.create(user_id=user_id, key=key, digest=digest)
    except IntegrityError:
        found = rows.first()
    if found is not None and found.digest != digest:
        raise Problem("key_used", f"This {HEADER} came with another call before. Use a new one.", 422, field=HEADER)
    if found is None or found.status is None:
        raise Problem("still_running", "The same call is running. Ask again in a moment.", 409, retry_after=1)
    return found


def _run_and_keep(row: KeptAnswer, run: Callable[[], HttpResponse]) -> HttpResponse:
    with transaction.atomic():
        answer = run()
        if answer.status_code >= 400:
            transaction.set_rollback(True)
            return answer
        mine = KeptAnswer.objects.filter(pk=row.pk)
        kept = {"content_type": answer.headers.get("Content-Type", ""), "body": answer.content}
        if not mine.update(status=answer.status_code, **kept):
            raise Problem("still_running", "The same call was made again meanwhile.", 409, retry_after=1)
    return answer


def _answer_of(row: KeptAnswer) -> HttpResponse:
    answer = HttpResponse(bytes(row.body), status=row.status or 200, headers={REPLAYED: "true"})
    if row.content_type:
        answer["Content-Type"] = row.content_type
    else:
        del answer["Content-Type"]
    return answer


def _digest(request: HttpRequest) -> str:
    what = f"{request.method} {request.get_full_path()}\n".encode() + request.body
    return hashlib.sha256(what).hexdigest()


def forget_old_answers() -> None:
    """Delete the answers that are older than `KEPT`. Workers call this regularly."""
    KeptAnswer.objects.filter(created_at__lt=Now() - KEPT).delete()
