"""Tests that a browser that reads its socket slowly delays no others, and gets the newest masks when it reads again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError

from tests.webapp.conftest import draw, run, some_mask
from tests.webapp.live.conftest import Open
from webapp.accounts.models import User
from webapp.annotation.claims import claim, finish, store
from webapp.live import change_feed, follower
from webapp.live import outbox as module
from webapp.live.consumer import VideoSocket
from webapp.videos.models import Video

database = sync_to_async


class Stall:
    """Makes sending on the first socket of a test wait from `hold()` until `let_go()`, as a full TCP window does."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.first: VideoSocket | None = None
        self.gate.set()

    def hold(self) -> None:
        self.gate.clear()

    def let_go(self) -> None:
        self.gate.set()


@pytest.fixture
async def stall(monkeypatch: pytest.MonkeyPatch) -> Stall:
    stall, real = Stall(), VideoSocket._send_out

    async def send_out(self: VideoSocket) -> None:
        inner = self._send
        stall.first = stall.first or self

        async def send(event: dict[str, Any]) -> None:
            if stall.first is self:
                await stall.gate.wait()
            await inner(event)

        self._send = send
        await real(self)

    monkeypatch.setattr(VideoSocket, "_send_out", send_out)
    return stall


def rounds_of(video: Video, author: User, count: int) -> list[int]:
    """Create `count` rounds, each based on the one before and with a mask of every frame. Return their ids."""
    made: list[int] = []
    for _ in range(count):
        row = run(video, author, made[-1] if made else None)
        claimed = claim(row.pk, "w")
        assert claimed
        store(claimed, [some_mask(frame) for frame in range(video.frame_count)])
        finish(claimed, complete=True)
        made.append(row.pk)
    return made


def ended(number: int) -> Any:
    return lambda got: getattr(got, "type", "") == "round.changed" and got.round.number == number and got.round.frames


async def test_a_slow_page_gets_the_newest_mask_of_each_frame(
    open_socket: Open, owner: User, video: Video, stall: Stall
) -> None:
    slow, fast = await open_socket(owner, video, resume=True), await open_socket(owner, video, resume=True)
    stall.hold()
    made = await database(rounds_of)(video, owner, 4)
    await fast.until(ended(4))
    stall.let_go()
    await slow.until(ended(4))
    newest = {mask.frame: mask.round for mask in slow.masks}
    assert newest == dict.fromkeys(range(video.frame_count), made[-1])
    assert len(slow.masks) <= 2 * video.frame_count, "old masks were queued for it"


async def test_a_page_that_is_hopelessly_behind_gets_a_state(
    open_socket: Open, owner: User, video: Video, stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 5)
    slow, fast = await open_socket(owner, video, resume=True), await open_socket(owner, video, resume=True)
    stall.hold()
    key = await slow.post("object.add", name="Eel")
    made = await database(rounds_of)(video, owner, 3)
    await fast.until(lambda got: ended(3)(got) or getattr(got, "type", "") == "welcome")
    stall.let_go()
    anew = await slow.kind("welcome")
    assert anew.state.head == made[-1]
    assert any(message.type == "ack" and message.key == key for message in slow.seen) or await slow.answer(key)


async def test_a_page_that_falls_behind_while_it_is_sent_to_gets_a_state(
    open_socket: Open, owner: User, video: Video, stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "REPEAT_SECONDS", 3600)  # No repeated hint may wake the sender.
    slow, fast = await open_socket(owner, video, resume=True), await open_socket(owner, video, resume=True)
    await slow.kind("presence")
    monkeypatch.setattr(module, "MOST_WAITING", 5)
    stall.hold()
    drawn = []
    for _ in range(14):  # One message is being sent, five wait, and the outbox has no room for more.
        drawn.append(str((await database(draw)(video, owner)).key))
        await fast.until(lambda got: got.type == "scribble.added" and got.scribble.key == drawn[-1])
    stall.let_go()
    anew = await slow.kind("welcome")
    assert [scribble.key for scribble in anew.state.scribbles] == drawn
    told = [message.scribble.key for message in slow.seen if message.type == "scribble.added"]
    assert told == drawn[: len(told)], "what was told before had no gap"
    last = str((await database(draw)(video, owner)).key)
    assert (await slow.kind("scribble.added")).scribble.key == last


async def test_a_gap_that_cannot_be_filled_now_lets_the_page_try_again(
    open_socket: Open, owner: User, video: Video, stall: Stall, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, fast = await open_socket(owner, video, resume=True), await open_socket(owner, video, resume=True)
    await slow.kind("presence")
    monkeypatch.setattr(module, "MOST_WAITING", 1)
    stall.hold()
    for _ in range(5):
        await database(draw)(video, owner)
        await fast.kind("scribble.added")

    def away(*args: Any) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(change_feed, "catch_up", away)
    stall.let_go()
    await slow.until(lambda got: isinstance(got, int))
    assert slow.closed == 4503
