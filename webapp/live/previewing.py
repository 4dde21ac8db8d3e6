"""Waits for the worker's answer to a preview, for one socket. A newer request takes the place of an older one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from webapp.accounts.models import User
from webapp.annotation.previews import FRESH, ask_preview, take_preview
from webapp.live.actions import REQUIRED
from webapp.live.client_messages import PreviewAsk
from webapp.live.follower import set_within
from webapp.live.threads import in_thread
from webapp.videos.access import video_for

POLL_SECONDS = 0.1  # The answer is looked for this often, in case its notification is lost.
TRIES = 3


def ask(user: User, video_id: int, message: PreviewAsk) -> int:
    """Ask the workers for a preview of what a member drew, and return its id. Raises Problem."""
    click = None if message.click is None else message.click.model_dump()
    video = video_for(user, video_id, REQUIRED)
    return ask_preview(video=video, author=user, frame=message.frame, engine=message.engine, click=click)


async def fetch(asking: Callable[[], int], next_wake: Callable[[], asyncio.Event]) -> bytes | None:
    """Ask for a preview and return the container with its mask, or None if there is nothing to show.

    `asking` is run in a thread and returns the id of the preview. `next_wake` returns an event that is set when the
    video changes or has an answer. The workers are asked again if they did not answer in time, because a worker that
    first had to load the engine skips a request that is too old. Raises Problem and DatabaseError.
    """
    for _ in range(TRIES):
        data = await _answer(await in_thread(asking), next_wake)
        if data is not None:
            return data or None
    return None


async def _answer(preview_id: int, next_wake: Callable[[], asyncio.Event]) -> bytes | None:
    """Return the answer to a preview, or None if no worker answers in time."""
    loop = asyncio.get_running_loop()
    until = loop.time() + FRESH.total_seconds()
    while loop.time() < until:
        woken = next_wake()  # It is taken before the answer is looked for, so that none is missed in between.
        data = await in_thread(take_preview, preview_id)
        if data is not None:
            return data
        await set_within(woken, POLL_SECONDS)
    return None
