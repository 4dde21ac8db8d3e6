"""Tests of the socket on a project: what is told of changed videos, to whom, and when it closes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.db import transaction

from tests.webapp.conftest import draw, make_video
from tests.webapp.live.conftest import cookie_of
from webapp import asgi
from webapp.accounts.models import User
from webapp.annotation import changes
from webapp.annotation.head import hold
from webapp.jobs.models import Job
from webapp.live import project_feed, project_socket
from webapp.live.project_feed import ProjectFeed, Watcher
from webapp.live.protocol import ImportProgress, VideosChanged
from webapp.live.threads import close_connections
from webapp.projects.models import Membership, Project, Role, Sees
from webapp.videos.models import Video, VideoState

Connect = Callable[..., Awaitable[ApplicationCommunicator]]
database = sync_to_async


def told(feed: ProjectFeed) -> tuple[list[int], list[tuple[int, int, int]]]:
    message = feed.poll()
    if message is None:
        return [], []
    return message.changed, [(item.video, item.done, item.total) for item in message.progress]


@pytest.mark.django_db(transaction=True)  # Within one transaction the clock of Postgres stands still.
def test_a_feed_tells_each_change_once(project: Project, owner: User) -> None:
    video, other = make_video(project, owner), make_video(project, owner)
    feed = ProjectFeed(project.pk)
    assert feed.poll() is None  # The page has just loaded its list.
    assert feed.poll() is None
    Video.objects.filter(pk=video.pk).update(name="Coral")
    assert told(feed) == ([video.pk], [])
    assert feed.poll() is None
    other.name = "Eel"
    other.save(update_fields=["name"])
    new = make_video(project, owner)
    assert told(feed) == ([other.pk, new.pk], [])
    Video.objects.filter(pk=new.pk).update(deleted_at="2026-01-01T00:00:00Z")
    assert told(feed) == ([new.pk], [])


@pytest.mark.django_db(transaction=True)
def test_an_import_that_goes_on_is_told_with_its_progress(project: Project, owner: User) -> None:
    video = Video.objects.create(project=project, name="reef", created_by=owner)
    feed = ProjectFeed(project.pk)
    feed.poll()
    Video.objects.filter(pk=video.pk).update(progress_done=5, progress_total=9)
    assert told(feed) == ([], [(video.pk, 5, 9)])
    Video.objects.filter(pk=video.pk).update(progress_done=9, state=VideoState.FAILED)
    assert told(feed) == ([video.pk], [])


@pytest.mark.django_db(transaction=True)
def test_jobs_scribbles_and_moves_change_what_they_should(project: Project, owner: User, stranger: User) -> None:
    video = make_video(project, owner)
    feed = ProjectFeed(project.pk)
    feed.poll()
    draw(video, owner, number=0)
    assert feed.poll() is None  # A list shows no scribbles.
    with transaction.atomic():
        hold(video.pk)
        changes.jobs_changed(video.pk)
    assert told(feed) == ([video.pk], [])
    Video.objects.filter(pk=video.pk).update(project=Project.objects.get(name="Elsewhere"))
    assert told(feed) == ([video.pk], [])


@pytest.mark.django_db(transaction=True)
def test_after_too_many_changes_a_page_loads_its_list_again(
    project: Project, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_feed, "MOST_CHANGED", 1)
    feed = ProjectFeed(project.pk)
    feed.poll()
    for _ in range(2):
        make_video(project, owner)
    assert feed.poll() == VideosChanged(type="videos.changed", changed=[], progress=[], all=True)


async def test_messages_that_a_slow_browser_has_not_read_become_one() -> None:
    watcher = Watcher()
    for changed, done in (([1], 1), ([2, 1], 2)):
        progress = [ImportProgress(video=7, done=done, total=9)]
        watcher.tell(VideosChanged(type="videos.changed", changed=changed, progress=progress, all=False))
    message = await watcher.next()
    assert (message.changed, [item.done for item in message.progress]) == ([1, 2], [2])


@pytest.fixture
async def connect(
    transactional_db: None, sent_tasks: list[Any], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Connect]:
    """Return a function that opens the socket of a project as a user, and returns its other end."""
    monkeypatch.setattr(project_feed, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(project_socket, "CHECK_SECONDS", 0.05)
    ends: list[ApplicationCommunicator] = []

    async def make(user: User | None, project: int, origin: str = "http://localhost") -> ApplicationCommunicator:
        cookie = await database(cookie_of)(user)
        headers = [(b"host", b"localhost"), (b"origin", origin.encode()), (b"cookie", cookie.encode())]
        scope = {"type": "websocket", "path": f"/ws/projects/{project}", "headers": headers, "query_string": b""}
        end = ApplicationCommunicator(asgi.application, scope)
        ends.append(end)
        await end.send_input({"type": "websocket.connect"})
        return end

    yield make
    for end in ends:
        if not end.future.done():
            await end.send_input({"type": "websocket.disconnect", "code": 1001})
            await end.wait(timeout=5)
    await database(close_connections)()


async def closed(end: ApplicationCommunicator) -> int:
    """Read until the socket is closed, and return the code."""
    async with asyncio.timeout(5):
        while (output := await end.receive_output(5))["type"] != "websocket.close":
            pass
    return int(output["code"])


async def test_a_viewer_is_told_and_strangers_are_not(
    connect: Connect, project: Project, owner: User, viewer: User, stranger: User
) -> None:
    video = await database(make_video)(project, owner)
    end = await connect(viewer, project.pk)
    assert (await end.receive_output(5))["type"] == "websocket.accept"
    assert json.loads((await end.receive_output(5))["text"])["all"] is True
    await database(Video.objects.filter(pk=video.pk).update)(name="Coral")
    message = json.loads((await end.receive_output(5))["text"])
    assert message == {"type": "videos.changed", "changed": [video.pk], "progress": [], "all": False}
    assert await closed(await connect(stranger, project.pk)) == 4404
    assert await closed(await connect(stranger, project.pk + 1000)) == 4404
    assert await closed(await connect(None, project.pk)) == 4401
    assert await closed(await connect(viewer, project.pk, origin="http://elsewhere.example")) == 4403
    await database(Membership.objects.filter(user=viewer).delete)()
    assert await closed(end) == 4403


async def test_who_sees_only_their_jobs_is_told_only_of_these(
    connect: Connect, project: Project, owner: User, annotator: User
) -> None:
    mine, other = await database(make_video)(project, owner), await database(make_video)(project, owner)
    await database(Project.objects.filter(pk=project.pk).update)(sees=Sees.JOBS)
    await database(Job.objects.filter(video=mine).update)(assignee=annotator)
    end = await connect(annotator, project.pk)
    assert (await end.receive_output(5))["type"] == "websocket.accept"
    assert json.loads((await end.receive_output(5))["text"])["all"] is True
    await database(Video.objects.filter(pk=other.pk).update)(name="Hidden")
    await database(Video.objects.filter(pk=mine.pk).update)(name="Shown")
    assert json.loads((await end.receive_output(5))["text"])["changed"] == [mine.pk]


async def test_who_becomes_a_reviewer_is_told_of_every_video(
    connect: Connect, project: Project, owner: User, annotator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_socket, "CHECK_SECONDS", 60)  # Only the message itself makes the socket check the role.
    other = await database(make_video)(project, owner)
    await database(Project.objects.filter(pk=project.pk).update)(sees=Sees.JOBS)
    end = await connect(annotator, project.pk)
    assert (await end.receive_output(5))["type"] == "websocket.accept"
    assert json.loads((await end.receive_output(5))["text"])["all"] is True
    await database(Membership.objects.filter(user=annotator, project=project).update)(role=Role.REVIEWER)
    await database(Video.objects.filter(pk=other.pk).update)(name="Shown")
    assert json.loads((await end.receive_output(5))["text"])["changed"] == [other.pk]


async def test_annotators_are_not_told_of_copies_that_others_annotate(
    connect: Connect, project: Project, owner: User, annotator: User
) -> None:
    open_to_all, copy = await database(make_video)(project, owner), await database(make_video)(project, owner)
    await database(Video.objects.filter(pk=copy.pk).update)(is_copy=True)
    end = await connect(annotator, project.pk)
    assert (await end.receive_output(5))["type"] == "websocket.accept"
    assert json.loads((await end.receive_output(5))["text"])["all"] is True
    await database(Video.objects.filter(pk=copy.pk).update)(name="Secret")
    await database(Video.objects.filter(pk=open_to_all.pk).update)(name="Shown")
    assert json.loads((await end.receive_output(5))["text"])["changed"] == [open_to_all.pk]
