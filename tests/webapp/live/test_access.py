"""Tests that send each message by which a page changes a video, with every role and as a user who is no member.

A message that is not allowed must change nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args
from uuid import uuid4

import numpy as np
import pytest
from asgiref.sync import sync_to_async

from tests.webapp.annotation.test_undo import done
from tests.webapp.conftest import HEIGHT, WIDTH, accept, draw, make_video, painted, run
from tests.webapp.live.conftest import Open
from webapp.accounts.models import User
from webapp.annotation.models import (
    AcceptedFrame,
    AcceptedObject,
    Change,
    Head,
    HumanTime,
    Mask,
    Object,
    Receipt,
    Round,
    Scribble,
)
from webapp.annotation.objects import add_object
from webapp.annotation.state import last_mask
from webapp.jobs.leases import take
from webapp.jobs.models import Job, ObjectLease
from webapp.live.client_messages import ClientMessage
from webapp.notifications.models import Notification
from webapp.projects.models import Project, Role
from webapp.videos.models import Video

database = sync_to_async
MEMBERS = [Role.VIEWER, Role.ANNOTATOR, Role.REVIEWER, Role.MANAGER, Role.OWNER]
UP = {Role.ANNOTATOR: MEMBERS[1:], Role.REVIEWER: MEMBERS[2:], Role.MANAGER: MEMBERS[3:]}
AT = {"frame": 0}
PATH = [[0.1, 0.2], [0.3, 0.4]]
PAINTED = painted(np.ones((HEIGHT, WIDTH), np.uint8))


@dataclass(frozen=True)
class Case:
    """A valid message of type `kind`, which users with `role` or a higher one may send.

    `fields(video, me, other)` creates the rows that the message refers to, and returns the fields of the message. `me`
    is the user who sends the message, `other` another member.
    """

    name: str
    kind: str
    role: Role
    fields: Callable[[Video, User, User], dict[str, Any]]


def of_ones_own(video: Video, me: User, other: User) -> dict[str, Any]:
    return {"scribble": str(draw(video, me).key)}


def run_own(video: Video, me: User, other: User) -> dict[str, Any]:
    draw(video, me)
    return {"frames": [0], "engine": "fake", "base": None}


def cancel(by_me: bool) -> Callable[[Video, User, User], dict[str, Any]]:
    return lambda video, me, other: {"round": run(video, me if by_me else other, None).pk}


def undo(video: Video, me: User, other: User) -> dict[str, Any]:
    return {"from_round": done(video, other, None, [0]).pk, "to_round": None}


def accepting(by_me: bool, accepted: bool = True) -> Callable[[Video, User, User], dict[str, Any]]:
    def fields(video: Video, me: User, other: User) -> dict[str, Any]:
        author = me if by_me else other
        made = done(video, author, None, [0, 1]).pk
        if not accepted:
            accept(video, author, 0, 1)
        return {"first": 0, "last": 1, "head": made, "seen": last_mask(video.pk), "accepted": accepted}

    return fields


def accepting_object(by_me: bool) -> Callable[[Video, User, User], dict[str, Any]]:
    frames = accepting(by_me)
    return lambda video, me, other: {"object": 1, **frames(video, me, other)}


def held_by_other(video: Video, me: User, other: User) -> dict[str, Any]:
    take(video=video, by=other, connection="", number=1)
    return {"object": 1}


CASES = [
    Case("draw", "scribble.add", Role.ANNOTATOR, lambda *_: {"frame": 0, "object": 1, "path": PATH}),
    Case("undo a scribble", "scribble.remove", Role.ANNOTATOR, of_ones_own),
    Case("add an object", "object.add", Role.ANNOTATOR, lambda *_: {"name": "Eel"}),
    Case("rename an object", "object.update", Role.ANNOTATOR, lambda *_: {"number": 1, "name": "Eel"}),
    Case("run", "round.run", Role.ANNOTATOR, run_own),
    Case("cancel one's own", "round.cancel", Role.ANNOTATOR, cancel(by_me=True)),
    Case("cancel another's", "round.cancel", Role.REVIEWER, cancel(by_me=False)),
    Case("undo a round", "head.move", Role.ANNOTATOR, undo),
    Case("paint", "mask.paint", Role.ANNOTATOR, lambda *_: {"frame": 0, "object": 1, "data": PAINTED, "over": "none"}),
    Case(
        "click", "prompt.add", Role.ANNOTATOR, lambda *_: {**AT, "object": 1, "kind": "click", "points": [[0.5, 0.5]]}
    ),
    Case("edit masks", "mask.edit", Role.ANNOTATOR, lambda *_: {"op": "clear", "objects": [1], "first": 0, "last": 3}),
    Case("mark absent", "span.absent", Role.ANNOTATOR, lambda *_: {"object": 1, "first": 0, "last": 3, "absent": True}),
    Case("move cuts", "cuts.set", Role.ANNOTATOR, lambda *_: {"cuts": [4]}),
    Case("report time", "time.spent", Role.ANNOTATOR, lambda *_: {"object": 1, "seconds": 8.5}),
    Case("hold an object", "lease.take", Role.ANNOTATOR, lambda *_: {"object": 1}),
    Case("take an object over", "lease.take", Role.MANAGER, lambda *_: {"object": 1, "over": True}),
    Case("release an object", "lease.release", Role.ANNOTATOR, lambda *_: {"object": 1}),
    Case("ask for an object", "lease.ask", Role.ANNOTATOR, held_by_other),
    Case("accept one's own", "frames.accept", Role.ANNOTATOR, accepting(by_me=True)),
    Case("accept another's", "frames.accept", Role.REVIEWER, accepting(by_me=False)),
    Case("release one's own", "frames.accept", Role.ANNOTATOR, accepting(by_me=True, accepted=False)),
    Case("release another's", "frames.accept", Role.REVIEWER, accepting(by_me=False, accepted=False)),
    Case("accept one's own object", "object.accept", Role.ANNOTATOR, accepting_object(by_me=True)),
    Case("accept another's object", "object.accept", Role.REVIEWER, accepting_object(by_me=False)),
]
OPEN_TO_ALL = {"resume", "looking", "ping", "preview.ask"}  # test_previewing.py tests preview.ask
case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def everything() -> list[Any]:
    """Return all rows of the tables that messages of a page change."""
    of_videos = (Video, Object, Scribble, Round, Mask, Head, AcceptedFrame, AcceptedObject, HumanTime, Change, Receipt)
    tables = (*of_videos, Job, ObjectLease, Notification)
    return [list(table._default_manager.order_by("pk").values()) for table in tables]


def test_every_message_of_the_protocol_has_a_case() -> None:
    union = get_args(get_args(ClientMessage)[0])
    kinds = {get_args(model.model_fields["type"].annotation)[0] for model in union}
    assert kinds == {case.kind for case in CASES} | OPEN_TO_ALL


@case
async def test_members_may_do_what_their_role_allows(
    open_socket: Open, cast: dict[Role, User], project: Project, case: Case
) -> None:
    """Each role sends the message about a new video, because the message of the role before changed its video."""
    for role in MEMBERS:
        me, other = cast[role], cast[Role.MANAGER if role != Role.MANAGER else Role.OWNER]
        video = await database(with_object)(project, cast[Role.OWNER])
        fields = await database(case.fields)(video, me, other)
        page = await open_socket(me, video, resume=True)
        before = await database(everything)()
        answer = await page.ask(case.kind, **fields)
        after = await database(everything)()
        if role in UP[case.role]:
            assert answer.type == "ack", role
            assert after != before, role
        else:
            assert (answer.type, answer.code) == ("error", "forbidden"), role
            assert after == before, role
        await page.leave()


def with_object(project: Project, owner: User) -> Video:
    video = make_video(project, owner)
    add_object(video=video, author=owner, name="Fish")
    return video


@case
async def test_a_stranger_is_told_that_there_is_no_such_video(
    open_socket: Open, owner: User, stranger: User, video: Video, case: Case
) -> None:
    fields = await database(case.fields)(video, owner, owner)
    before = await database(everything)()
    page = await open_socket(stranger, video)
    await page.post(case.kind, key=uuid4(), **fields)
    assert await page.next() == 4404
    assert await database(everything)() == before


async def test_a_video_that_is_not_there_looks_the_same(open_socket: Open, stranger: User, video: Video) -> None:
    there, missing = await open_socket(stranger, video), await open_socket(stranger, video.pk + 1000)
    assert (await there.next(), await missing.next()) == (4404, 4404)


@pytest.mark.parametrize("role", MEMBERS)
async def test_every_member_may_watch(open_socket: Open, cast: dict[Role, User], video: Video, role: Role) -> None:
    page = await open_socket(cast[role], video)
    assert (await page.resume()).role == role.value
    await page.post("looking", frame=1)
    await page.post("ping")
    assert (await page.kind("pong")).type == "pong"
