"""Waits for the worker's answer to a preview, for one socket. A newer request takes the place of an older one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from webapp.accounts.models import User
from webapp.annotation.previews import FRESH, ask_preview, take_preview
from webapp.live.actions import REQUIRED
from webapp.live.client_messages import PreviewAsk
from webapp.live.threads import in_thread
from webapp.videos.access import video_for

POLL_SECONDS = 0.01


def ask(user: User, video_id: int, message: PreviewAsk) -> int:
    """Ask the workers for a preview of what a member drew, and return its id. Raises Problem."""
    click = None if message.click is None else message.click.model_dump()
    video = video_for(user, video_id, REQUIRED)
    return ask_preview(video=video, author=user, frame=message.frame, engine=message.engine, click=click)


async def fetch(asking: Callable[[], int]) -> bytes | None:
    """Ask for a preview and return the container with its mask, or None if there is nothing to show.

    `asking` is run in a thread and returns the id of the preview. Raises Problem and DatabaseError.
    """
    asked = await in_thread(asking)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + FRESH.total_seconds()
    while loop.time() < deadline:
        data = await in_thread(take_preview, asked)
        if data is not None:
            return data or None
        await asyncio.sleep(POLL_SECONDS)
    return None
