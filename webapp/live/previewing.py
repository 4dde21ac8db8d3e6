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

POLL_SECONDS, SLOW_POLL_SECONDS = 0.01, 0.1
TRIES = 3
SOON = 2.0  # Seconds after which the answer is looked for less often.


def ask(user: User, video_id: int, message: PreviewAsk) -> int:
    """Ask the workers for a preview of what a member drew, and return its id. Raises Problem."""
    click = None if message.click is None else message.click.model_dump()
    video = video_for(user, video_id, REQUIRED)
    return ask_preview(video=video, author=user, frame=message.frame, engine=message.engine, click=click)


async def fetch(asking: Callable[[], int]) -> bytes | None:
    """Ask for a preview and return the container with its mask, or None if there is nothing to show.

    `asking` is run in a thread and returns the id of the preview. The workers are asked again if they did not answer in
    time, because a worker that first had to load the engine skips a request that is too old. Raises Problem and
    DatabaseError.
    """
    for _ in range(TRIES):
        data = await _answer(await in_thread(asking))
        if data is not None:
            return data or None
    return None


async def _answer(preview_id: int) -> bytes | None:
    """Return the answer to a preview, or None if no worker answers in time."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while (waited := loop.time() - began) < FRESH.total_seconds():
        data = await in_thread(take_preview, preview_id)
        if data is not None:
            return data
        await asyncio.sleep(POLL_SECONDS if waited < SOON else SLOW_POLL_SECONDS)
    return None
