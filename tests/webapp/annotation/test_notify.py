"""Tests of the notifications by which, in team mode, a process tells the others that a video has changed."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from tests.studio import until
from webapp.annotation import notify


class Layer:
    """Fake channel layer of Django Channels that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self.sent.append((group, message))


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Layer:
    settings.TEAM_MODE = True
    layer = Layer()
    monkeypatch.setattr(notify, "get_channel_layer", lambda: layer)
    monkeypatch.setattr(notify, "_background", notify._Background())
    return layer


def test_changes_of_a_video_that_are_not_told_yet_are_told_by_one_notification(layer: Layer) -> None:
    notify._announce(1)
    until(lambda: len(layer.sent) == 1, "the first notification")
    go_on = threading.Event()
    notify._background._loop.call_soon_threadsafe(go_on.wait)  # Nothing is sent until the event is set.
    for video_id in (7, 7, 8, 7):
        notify._announce(video_id)
    go_on.set()
    until(lambda: len(layer.sent) == 3, "a notification of each video")
    assert [group for group, _ in layer.sent] == ["video.1", "video.7", "video.8"]
    notify._announce(7)
    until(lambda: len(layer.sent) == 4, "a notification of a change that came after the last one")


def test_a_process_knows_its_own_notifications(layer: Layer) -> None:
    notify._announce(7)
    until(lambda: bool(layer.sent), "the notification")
    (_, message), *_ = layer.sent
    assert notify.is_own(message)
    assert not notify.is_own({**message, "process": "another"})
    assert not notify.is_own({"type": "video.changed", "video": 7})


def test_a_forked_process_does_not_take_notifications_of_its_parent_for_its_own(
    layer: Layer, monkeypatch: pytest.MonkeyPatch
) -> None:
    notify._announce(7)
    until(lambda: bool(layer.sent), "the notification")
    (_, message), *_ = layer.sent
    parent = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: parent + 1)
    assert not notify.is_own(message)
