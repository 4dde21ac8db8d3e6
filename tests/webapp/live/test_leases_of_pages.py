"""Tests of leases as two pages see them: who draws on an object holds it, and lets it go when their page is closed."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async

from tests.webapp.live.conftest import Open, Page
from webapp.accounts.models import User
from webapp.annotation.models import Scribble
from webapp.live import follower
from webapp.videos.models import Video

STROKE: dict[str, Any] = {"frame": 0, "object": 1, "path": [[0.1, 0.2], [0.3, 0.4]]}


async def told(page: Page, holder: User) -> None:
    """Wait until the page was told that only `holder` draws on objects.

    The message may have arrived before this call, while the page waited for an answer.
    """

    def tells(message: Any) -> bool:
        names = [lease.holder.name for lease in getattr(message, "leases", [])]
        return names == [holder.shown_name]

    if not any(tells(message) for message in page.seen):
        await page.until(tells)


@pytest.mark.django_db(transaction=True)
async def test_an_object_that_one_page_draws_on_is_refused_to_another_one_until_the_first_is_closed(
    open_socket: Open, owner: User, annotator: User, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "LEASES_SECONDS", 0.0)
    first, second = await open_socket(owner, video, resume=True), await open_socket(annotator, video, resume=True)
    assert (await first.ask("scribble.add", **STROKE)).type == "ack"
    await told(second, owner)
    refused = await second.ask("scribble.add", **STROKE)
    assert (refused.type, refused.code) == ("error", "held")
    assert f"{owner.shown_name} draws on" in refused.text
    await first.leave()
    assert (await second.ask("scribble.add", **STROKE)).type == "ack"
    await told(second, annotator)
    assert await sync_to_async(Scribble.objects.count)() == 2
