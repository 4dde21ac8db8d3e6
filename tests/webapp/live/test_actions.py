"""Tests of messages that change the database: when they are refused, and what they store."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.webapp.annotation.test_undo import done
from tests.webapp.conftest import HEIGHT, WIDTH, draw, painted
from tests.webapp.live.conftest import Open
from webapp.accounts.models import User
from webapp.annotation.models import AcceptedFrame, HumanTime, Object, Round, Scribble
from webapp.annotation.state import last_mask
from webapp.live.actions import perform
from webapp.live.client_messages import client_messages
from webapp.projects.models import Label
from webapp.videos.models import Video

database = sync_to_async


@database
def count(model: Any) -> int:
    return int(model.objects.count())


async def test_a_mask_that_changed_meanwhile_is_not_accepted(open_socket: Open, owner: User, video: Video) -> None:
    page = await open_socket(owner, video, resume=True)
    shown = (await database(done)(video, owner, None, [0])).pk
    seen = await database(last_mask)(video.pk)
    newer = (await database(done)(video, owner, shown, [0])).pk
    frame = {"first": 0, "last": 0, "accepted": True}
    refused = await page.ask("frames.accept", **frame, head=shown, seen=seen)
    assert (refused.code, refused.text) == ("conflict", "The mask changed meanwhile: look again.")
    assert (await page.ask("frames.accept", **frame, head=newer)).code == "malformed"
    assert await count(AcceptedFrame) == 0
    seen = await database(last_mask)(video.pk)
    assert (await page.ask("frames.accept", **frame, head=newer, seen=seen)).type == "ack"


async def test_a_painted_mask_that_comes_twice_is_one_version(open_socket: Open, owner: User, video: Video) -> None:
    page = await open_socket(owner, video, resume=True)
    key, data = str(uuid4()), painted(np.ones((HEIGHT, WIDTH), np.uint8))
    fields = {"frame": 2, "object": 1, "data": data, "over": "none"}
    made = (await page.ask("mask.paint", key=key, **fields)).result
    assert (await page.ask("mask.paint", key=key, **fields)).result == made
    assert await count(Round) == 1
    while not page.masks:
        await page.next()
    assert [(mask.round, mask.frame) for mask in page.masks] == [(made, 2)]


async def test_a_round_takes_what_was_drawn_on_several_frames(open_socket: Open, owner: User, video: Video) -> None:
    for frame in (1, 3, 6):
        await database(draw)(video, owner, frame)
    page = await open_socket(owner, video, resume=True)
    ran = {"frames": [6, 1], "engine": "fake", "base": None, "span": [0, 6], "direction": "forward", "objects": [1]}
    assert (await page.ask("round.run", **{**ran, "span": [2, 6]})).code == "bad_span"
    assert (await page.ask("round.run", **{**ran, "objects": [9]})).code == "no_object"
    assert (await page.ask("round.run", **{**ran, "frames": []})).code == "malformed"
    made = await database(Round.objects.get)(pk=(await page.ask("round.run", **ran)).result)
    assert (made.drawn, made.span, made.direction, made.objects_changed) == ([1, 6], [0, 6], "forward", [1])


async def test_the_label_of_an_object_is_set_and_taken_away(open_socket: Open, owner: User, video: Video) -> None:
    label = await database(Label.objects.create)(project_id=video.project_id, name="fish", color="#112233")
    page = await open_socket(owner, video, resume=True)
    assert (await page.ask("object.update", number=1, label=label.pk)).type == "ack"
    assert (await page.ask("object.update", number=1, name="Eel")).type == "ack"
    instance = await database(Object.objects.get)()
    assert (instance.label_id, instance.name) == (label.pk, "Eel")
    assert (await page.ask("object.update", number=1, label=None)).type == "ack"
    gone = label.pk
    await database(label.delete)()
    assert (await page.ask("object.update", number=1, label=gone)).code == "not_found"
    assert (await database(Object.objects.get)()).label_id is None


async def test_an_object_is_moved_in_the_list(open_socket: Open, owner: User, video: Video) -> None:
    page = await open_socket(owner, video, resume=True)
    for _ in range(2):
        await page.ask("object.add")
    assert (await page.ask("object.update", number=3, position=0)).type == "ack"
    rows = await database(lambda: list(Object.objects.values_list("number", "position")))()
    assert rows == [(3, 1), (1, 2), (2, 3)]


async def test_a_locked_object_is_neither_drawn_nor_painted(open_socket: Open, owner: User, video: Video) -> None:
    page = await open_socket(owner, video, resume=True)
    assert (await page.ask("object.update", number=1, locked=True)).type == "ack"
    drawn = await page.ask("scribble.add", frame=0, object=1, path=[[0.5, 0.5]])
    assert (drawn.code, drawn.text) == ("locked", "Fish is locked. Unlock it first.")
    clicked = await page.ask("prompt.add", frame=0, object=1, kind="click", points=[[0.5, 0.5]])
    assert clicked.code == "locked"
    assert (await page.ask("span.absent", object=1, first=0, last=2, absent=True)).code == "locked"


async def test_human_time_adds_up(open_socket: Open, owner: User, annotator: User, video: Video) -> None:
    for user in (owner, annotator, owner):
        page = await open_socket(user, video, resume=True)
        assert (await page.ask("time.spent", object=1, seconds=10.5)).type == "ack"
        assert (await page.ask("time.spent", object=0, seconds=1)).type == "ack"
    assert (await page.ask("time.spent", object=1, seconds=121)).code == "malformed"
    assert await count(HumanTime) == 4
    again = await open_socket(owner, video)
    assert (await again.resume()).state.seconds == {0: 3.0, 1: 31.5}


@pytest.mark.parametrize("alone", [False, True])
async def test_what_is_accepted_cannot_be_drawn_on(open_socket: Open, owner: User, video: Video, alone: bool) -> None:
    """The page refuses it, too, but a frame may be accepted by somebody else while the stroke is under way."""
    head = (await database(done)(video, owner, None, [0])).pk
    page = await open_socket(owner, video, resume=True)
    what = {"object": 1} if alone else {}
    span = {"first": 0, "last": 0, "accepted": True, "head": head, "seen": await database(last_mask)(video.pk)}
    assert (await page.ask("object.accept" if alone else "frames.accept", **what, **span)).type == "ack"
    before = await count(Round), await count(Scribble)
    path, everything = [[0.1, 0.2], [0.3, 0.4]], painted(np.ones((HEIGHT, WIDTH), np.uint8))
    accepted = "Object 1 is accepted in frame 0" if alone else "Frame 0 is accepted"
    for kind, fields, doing in (
        ("scribble.add", {"object": 1, "path": path}, "draw"),
        ("prompt.add", {"object": 1, "kind": "click", "points": path[:1], "positive": False}, "draw"),
        ("prompt.add", {"object": 1, "kind": "box", "points": path}, "draw"),
        ("mask.paint", {"object": 1, "data": everything, "over": "all"}, "paint"),
    ):
        refused = await page.ask(kind, frame=0, **fields)
        assert (refused.code, refused.text) == ("accepted", f"{accepted}. Release it, then {doing}.")
    assert (await count(Round), await count(Scribble)) == before
    background = await page.ask("scribble.add", frame=0, object=0, path=path)
    assert background.type == ("ack" if alone else "error"), "it is about all objects"
    assert (await page.ask("scribble.add", frame=1, object=1, path=path)).type == "ack", "another frame"


async def test_nothing_is_drawn_or_painted_on_an_object_where_it_is_absent(
    open_socket: Open, owner: User, video: Video
) -> None:
    page = await open_socket(owner, video, resume=True)
    assert (await page.ask("span.absent", object=1, first=2, last=4, absent=True)).type == "ack"
    path = [[0.1, 0.1], [0.4, 0.4]]
    everything = painted(np.ones((HEIGHT, WIDTH), np.uint8))
    before = await count(Round)
    for kind, fields, doing in (
        ("scribble.add", {"path": path}, "draw"),
        ("prompt.add", {"kind": "click", "points": path[:1]}, "draw"),
        ("prompt.add", {"kind": "box", "points": path}, "draw"),
        ("mask.paint", {"data": everything, "over": "all"}, "paint"),
    ):
        for frame in (2, 4):
            refused = await page.ask(kind, frame=frame, object=1, **fields)
            text = f"Fish is marked absent in frame {frame}. Take that back, then {doing}."
            assert (refused.code, refused.text) == ("absent", text)
    assert (await count(Round), await count(Scribble)) == (before, 0)
    assert (await page.ask("scribble.add", frame=5, object=1, path=path)).type == "ack", "a frame after the span"
    assert (await page.ask("scribble.add", frame=3, object=0, path=path)).type == "ack", "the background"
    assert (await page.ask("span.absent", object=1, first=2, last=2, absent=False)).type == "ack"
    assert (await page.ask("mask.paint", frame=2, object=1, data=everything, over="all")).type == "ack"


async def test_a_stroke_or_a_click_outside_of_the_frame_is_refused(
    open_socket: Open, owner: User, video: Video
) -> None:
    page = await open_socket(owner, video, resume=True)
    drawn = await page.ask("scribble.add", frame=0, object=1, path=[[0.5, 1], [0.5, 1.2]])
    said = "lies outside of the picture: x and y are numbers from 0 to 1."
    assert (drawn.code, drawn.text) == ("malformed", f"Point 2 {said}")
    clicked = await page.ask("prompt.add", frame=0, object=1, kind="click", points=[[-0.1, 0.5]])
    assert (clicked.code, clicked.text) == ("malformed", f"Point 1 {said}")
    broken = await page.ask("scribble.add", frame=0, object=1, path=[[0.5, 1], [0.5]])
    assert (broken.code, broken.text) == ("malformed", "scribble.add.path.1.1: Field required")


def test_a_stroke_and_its_round_cost_few_statements(
    video: Video, owner: User, sent_tasks: list[tuple[str, tuple[Any, ...]]]
) -> None:
    """Each statement delays the mask, so a new one needs a reason. Several in one message to Postgres count once."""
    draw(video, owner)
    stroke = {"type": "scribble.add", "frame": 0, "object": 1, "path": [[0.1, 0.2], [0.3, 0.4]]}
    run = {"type": "round.run", "frames": [0], "engine": "fake", "base": None}
    # The first stroke starts a job and takes the object's lease; a later one renews that in one statement.
    limits = (17, 6, 20) if connection.vendor == "postgresql" else (22, 12, 20)
    messages: list[dict[str, Any]] = [stroke, stroke, run]
    for message, most in zip(messages, limits, strict=True):
        parsed = client_messages.validate_python({"key": str(uuid4()), **message})
        with CaptureQueriesContext(connection) as found:
            perform(owner, video.pk, parsed, "page")  # type: ignore[arg-type]
        statements = [q["sql"] for q in found if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
        assert len(statements) <= most, "\n".join(statements)
    assert [name for name, *_ in sent_tasks].count("annotation.count_to_fix") == 0, "the end of the round asks for it"
