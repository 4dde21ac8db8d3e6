"""Tests of previews over the socket: only the page that asks for one gets it, and only users who may draw may ask."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from asgiref.sync import sync_to_async

from tests.webapp.conftest import HEIGHT, WIDTH
from tests.webapp.live.conftest import Open
from webapp.accounts.models import User
from webapp.annotation.codec import TYPE_PREVIEW, PackedMask, encode, pack
from webapp.annotation.models import Preview
from webapp.annotation.previews import answer_preview
from webapp.live import previewing
from webapp.projects.models import Role
from webapp.videos.models import Video

database = sync_to_async


@database
def count() -> int:
    return Preview.objects.count()


async def test_a_preview_comes_to_the_one_who_asked_only(
    open_socket: Open, owner: User, annotator: User, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previewing, "POLL_SECONDS", 3600)  # So the answer is found by its notification.
    mine, theirs = await open_socket(annotator, video, resume=True), await open_socket(owner, video, resume=True)
    await mine.post("preview.ask", frame=3, engine="fake", click=None)
    while (asked := await database(Preview.objects.first)()) is None:
        await asyncio.sleep(0.01)
    assert (asked.author_id, asked.frame) == (annotator.pk, 3)
    mask = PackedMask(0, 0, 3, (0.5,), encode(np.zeros((HEIGHT, WIDTH), np.uint8)))
    await database(answer_preview)(asked.pk, pack([mask], TYPE_PREVIEW))
    while not mine.masks:
        await mine.next()
    assert (mine.masks[0].frame, mine.masks[0].round) == (3, 0)
    assert (await theirs.ask("object.add", name="Eel")).type == "ack"
    assert theirs.masks == []
    assert await count() == 0


async def test_a_viewer_gets_no_preview(open_socket: Open, cast: dict[Role, User], video: Video) -> None:
    page = await open_socket(cast[Role.VIEWER], video, resume=True)
    await page.post("preview.ask", frame=3, engine="fake", click=None)
    assert (await page.kind("error")).code == "forbidden"
    assert await count() == 0
