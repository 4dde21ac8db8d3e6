"""Tests of followers, which read the change logs of videos for the sockets, and of the hub that holds them."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from webapp.accounts.models import User
from webapp.annotation.models import Change
from webapp.annotation.schemas import Person
from webapp.jobs.models import ObjectLease
from webapp.live import change_feed
from webapp.live import follower as module
from webapp.live import hub as hub_module
from webapp.live.change_feed import Delta, LogEntry
from webapp.live.follower import Follower, Subscriber
from webapp.live.hub import Hub
from webapp.live.outbox import Outbox
from webapp.live.protocol import WorkerStatus
from webapp.live.threads import close_connections
from webapp.projects.models import Role
from webapp.videos.models import Video


def delta(*seqs: int) -> Delta:
    return Delta([LogEntry(seq, str(seq), False) for seq in seqs], [], [], False)


def sent(outbox: Outbox) -> list[object]:
    out: list[object] = []
    while (payload := outbox.next()) is not None:
        out.append(payload)
    return out


async def test_what_comes_while_a_state_is_read_is_kept_back_and_not_told_twice() -> None:
    subscriber = Subscriber(outbox := Outbox())
    subscriber.take(delta(1, 2, 3))
    assert sent(outbox) == []
    subscriber.caught_up(2, 0, Role.VIEWER)
    assert sent(outbox) == ["3"]


async def test_a_poll_that_began_before_the_state_was_read_brings_nothing_twice() -> None:
    subscriber = Subscriber(outbox := Outbox())
    subscriber.caught_up(7, 0, Role.VIEWER)
    subscriber.take(delta(4, 5))
    subscriber.take(delta(6, 7, 8))
    assert sent(outbox) == ["8"]


@pytest.mark.parametrize(("role", "told"), [(Role.ANNOTATOR, ["2"]), (Role.REVIEWER, ["1", "2"])])
async def test_only_reviewers_are_told_what_shows_that_there_is_ground_truth(role: Role, told: list[str]) -> None:
    subscriber = Subscriber(outbox := Outbox())
    subscriber.caught_up(0, 0, role)
    subscriber.take(Delta([LogEntry(1, "1", False, of_truth=True), LogEntry(2, "2", False)], [], [], False))
    assert sent(outbox) == told


class Away(Exception):
    """Raised by `Layer` (a fake channel layer) while its server cannot be reached. It is no OSError."""


class Layer:
    """Fake channel layer of Django Channels. Its server cannot be reached until the test sets `away` to False."""

    def __init__(self) -> None:
        self.away, self.made = True, 0
        self.sent: list[dict[str, Any]] = []
        self.added: list[str] = []
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def new_channel(self) -> str:
        self.made += 1
        return f"channel {self.made}"

    async def group_add(self, group: str, channel: str) -> None:
        if self.away:
            raise Away("Connection refused")
        self.added.append(channel)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        if self.away:
            raise Away("Connection refused")
        self.sent.append(message)

    async def receive(self, channel: str) -> dict[str, Any]:
        return await self.messages.get()


@pytest.fixture
def quick(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.TEAM_MODE = True
    for name in ("IDLE_SECONDS", "PRESENCE_SECONDS", "REPEAT_SECONDS"):
        monkeypatch.setattr(module, name, 0.02)


async def until(wanted: Any) -> None:
    async with asyncio.timeout(5):
        while not wanted():
            await asyncio.sleep(0.01)


async def test_presence_outlives_a_channel_layer_that_is_away(
    transactional_db: None, video: Video, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, outbox = Layer(), Outbox()
    monkeypatch.setattr(module, "get_channel_layer", lambda: layer)
    follower = Follower(video.pk)
    follower.subscribers.add(subscriber := Subscriber(outbox))
    await follower.started.wait()
    follower.set_presence(subscriber, Person(id=1, name="Ann"), 3)
    await until(lambda: "Ann" in "".join(str(message) for message in sent(outbox)))
    await asyncio.sleep(0.2)
    assert [task.done() for task in follower._tasks] == [False] * 3
    layer.away = False
    await until(lambda: layer.sent and layer.added)
    assert (layer.made, layer.added) == (1, ["channel 1"])
    viewers = [[1.0, {"person": {"id": 2, "name": "Bob"}, "frame": 4}]]
    await layer.messages.put({"type": "video.presence", "process": "another", "viewers": viewers})
    await until(lambda: "Bob" in "".join(str(message) for message in sent(outbox)))
    tasks = follower._tasks
    await follower.stop()
    assert all(task.cancelled() for task in tasks)
    close_connections()


async def test_a_hub_notices_what_nobody_notified_it_of_while_no_round_runs(
    transactional_db: None, video: Video, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "IDLE_SECONDS", 0.02)
    hub, outbox = Hub(lambda: WorkerStatus(alive=False, device="", text="")), Outbox()
    follower, subscriber = await hub.join(video.pk, outbox)
    subscriber.caught_up(0, 0, Role.OWNER)
    await until(lambda: follower._leases_read)  # The follower has polled once.
    polls = Counter[str]()
    monkeypatch.setattr(change_feed, "poll", counted(change_feed.poll, polls))
    await asyncio.sleep(0.1)
    assert not polls
    await asyncio.to_thread(Change.objects.create, video=video, message={"type": "objects.painted"})
    await until(lambda: "objects.painted" in "".join(str(message) for message in sent(outbox)))
    assert polls["poll"] == 1
    lease = {"video": video, "object_id": 1, "holder": owner, "expires": timezone.now() + timedelta(seconds=9)}
    await asyncio.to_thread(ObjectLease.objects.create, **lease)
    await until(lambda: owner.shown_name in "".join(str(message) for message in sent(outbox)))
    await hub.leave(follower, subscriber)
    close_connections()


def counted(function: Any, calls: Counter[str]) -> Any:
    def call(*arguments: Any) -> Any:
        calls[function.__name__] += 1
        return function(*arguments)

    return call


async def test_a_browser_that_goes_while_it_waits_to_follow_leaves_nothing_behind(
    transactional_db: None, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(self: Follower) -> Any:
        return asyncio.Event().wait()

    monkeypatch.setattr(Follower, "_follow", never)
    hub = Hub(lambda: WorkerStatus(alive=False, device="", text=""))
    joining = asyncio.create_task(hub.join(video.pk, Outbox()))
    await asyncio.sleep(0)
    follower = hub._followers[video.pk]
    joining.cancel()
    with pytest.raises(asyncio.CancelledError):
        await joining
    assert (follower.subscribers, hub._followers, hub._watch) == (set(), {}, None)
    assert all(task.done() for task in follower._tasks)


async def test_a_follower_is_woken_by_the_notifications_of_other_processes_only(
    transactional_db: None, video: Video, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The listener of its own process has woken the follower for what that process wrote.

    Redis delivers the same notification once more, also to its sender.
    """
    layer = Layer()
    layer.away = False
    monkeypatch.setattr(module, "get_channel_layer", lambda: layer)
    monkeypatch.setattr(module.notify, "is_own", lambda message: message["process"] == "own")
    follower = Follower(video.pk)
    await follower.started.wait()
    changed = {"type": "video.changed", "video": video.pk}
    for _ in range(2):
        event = follower.next_wake()
        await layer.messages.put({**changed, "process": "own"})
        await layer.messages.put({"type": "video.presence", "process": "another", "viewers": []})
        await until(layer.messages.empty)  # Each message is read when the one before has been dealt with.
        assert not event.is_set()
        await layer.messages.put({**changed, "process": "another"})
        await until(event.is_set)
    await follower.stop()
    close_connections()
