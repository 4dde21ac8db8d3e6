"""Tests that the frames that a page shows are stored as looked at."""

from __future__ import annotations

from asgiref.sync import sync_to_async

from tests.webapp.live.conftest import Open
from webapp.accounts.models import User
from webapp.jobs.looked import looked_at
from webapp.videos.models import Video


async def test_frames_that_a_page_showed_are_looked_at(open_socket: Open, owner: User, video: Video) -> None:
    page = await open_socket(owner, video, resume=True)
    for frame in (1, 6):
        await page.post("looking", frame=frame)
    await page.post("ping")
    await page.kind("pong")
    await page.leave()
    looked = await sync_to_async(looked_at)(video.pk, owner.pk)
    assert {1, 6} <= looked <= set(range(1, 7))
