"""Tests of the socket: what it answers and refuses, and what a page gets that connects again after a while."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session

from tests.webapp.conftest import draw, run, some_mask
from tests.webapp.live.conftest import Open
from webapp.accounts.models import User
from webapp.annotation.claims import Claim, claim, finish, store
from webapp.annotation.models import Object, Receipt, Round, Scribble
from webapp.live import change_feed, consumer
from webapp.live.client_messages import MAX_MESSAGE_BYTES
from webapp.live.protocol import PROTOCOL_VERSION
from webapp.projects.models import Membership, Role
from webapp.videos.models import Video

PATH = [[0.1, 0.2], [0.3, 0.4]]
scribble: dict[str, Any] = {"frame": 0, "object": 1, "path": PATH}
database = sync_to_async


@database
def count(model: Any) -> int:
    return int(model.objects.count())


@database
def compute(round_id: int, frames: list[int], *, complete: bool = True) -> None:
    """Do with a round what a worker does: claim it, store masks of `frames` and, if `complete`, finish it."""
    claimed = claim(round_id, "w")
    assert claimed
    for frame in frames:
        store(claimed, [some_mask(frame)])
    if complete:
        finish(claimed, complete=True)


async def test_a_welcome_has_the_state(open_socket: Open, owner: User, video: Video) -> None:
    page = await open_socket(owner, video)
    welcome = await page.resume()
    assert (welcome.you.name, welcome.role) == ("Owner", "owner")
    assert [object_.name for object_ in welcome.state.objects] == ["Fish"]
    assert welcome.worker.alive is False
    assert (await page.kind("presence")).viewers == []


async def test_a_scribble_is_stored_acknowledged_and_told_to_everyone(
    open_socket: Open, owner: User, annotator: User, video: Video
) -> None:
    mine, theirs = await open_socket(annotator, video, resume=True), await open_socket(owner, video, resume=True)
    key = await mine.post("scribble.add", **scribble)
    assert (await mine.answer(key)).type == "ack"
    for page in (mine, theirs):
        told = next((message for message in page.seen if message.type == "scribble.added"), None) or await page.kind(
            "scribble.added"
        )
        assert (told.scribble.key, told.scribble.author.name) == (key, "Annotator")


async def test_a_scribble_that_comes_twice_is_stored_once(open_socket: Open, owner: User, video: Video) -> None:
    page = await open_socket(owner, video, resume=True)
    key = str(uuid4())
    assert (await page.ask("scribble.add", key=key, **scribble)).type == "ack"
    await page.leave()
    again = await open_socket(owner, video, resume=True)
    assert (await again.ask("scribble.add", key=key, **scribble)).type == "ack"
    assert await count(Scribble) == 1


async def test_the_whole_way_from_object_to_masks(open_socket: Open, owner: User, video: Video) -> None:
    page = await open_socket(owner, video, resume=True)
    number = (await page.ask("object.add", name="Eel")).result
    assert (await page.ask("scribble.add", frame=2, object=number, path=PATH)).type == "ack"
    made = (await page.ask("round.run", frames=[2], engine="fake", base=None)).result
    await compute(made, [2, 3, 1])
    ended = await page.until(lambda got: getattr(got, "type", "") == "round.changed" and got.round.state == "done")
    assert ended.round.frames == [(1, 3)]
    assert sorted(mask.frame for mask in page.masks) == [1, 2, 3], "masks are there before the end is told"
    assert {mask.round for mask in page.masks} == {made}
    seen = max(mask.seq for mask in page.masks)
    span = {"first": 1, "last": 3, "head": made, "seen": seen}
    assert (await page.ask("frames.accept", **span, accepted=True)).result == 3
    assert (await page.ask("head.move", from_round=made, to_round=None)).type == "ack"
    while [message.head for message in page.seen if message.type == "head.moved"] != [made, None]:
        await page.next()


async def test_a_conflict_says_where_the_video_stands(
    open_socket: Open, owner: User, annotator: User, video: Video
) -> None:
    theirs = await database(run)(video, owner, None)
    page = await open_socket(annotator, video, resume=True)
    await page.ask("scribble.add", **scribble)
    refused = await page.ask("round.run", frames=[0], engine="fake", base=None)
    assert (refused.type, refused.code, refused.head) == ("error", "conflict", theirs.pk)
    assert (await page.ask("round.run", frames=[0], engine="fake", base=refused.head)).type == "ack"


# --- pages that connect again ---


async def test_a_page_that_was_away_gets_what_it_missed(open_socket: Open, owner: User, video: Video) -> None:
    page = await open_socket(owner, video, resume=True)
    await page.ask("scribble.add", **scribble)
    made = (await page.ask("round.run", frames=[0], engine="fake", base=None)).result
    await compute(made, [0, 1], complete=False)
    while len(page.masks) < 2:
        await page.next()
    seq = max(message.seq for message in page.seen if hasattr(message, "seq"))
    mask_seq = max(mask.seq for mask in page.masks)
    await page.leave()

    def meanwhile() -> None:
        row = Round.objects.get(pk=made)
        claimed = Claim(made, video.pk, row.fence, row)
        store(claimed, [some_mask(2), some_mask(3)])
        finish(claimed, complete=True)
        draw(video, owner, frame=5)

    await database(meanwhile)()
    back = await open_socket(owner, video)
    welcome = await back.resume(seq, mask_seq)
    assert welcome.state is None
    await back.kind("scribble.added")
    assert [mask.frame for mask in back.masks] == [2, 3]
    told = [message for message in back.seen if hasattr(message, "seq")]
    assert [message.type for message in told] == ["round.changed", "scribble.added"]
    assert [message.seq for message in told] == sorted({message.seq for message in told})
    assert told[0].seq == seq + 1


@pytest.mark.parametrize("seq", [10_000_000, 1])
async def test_a_gap_that_cannot_be_filled_gets_a_state(
    open_socket: Open, owner: User, video: Video, seq: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(change_feed, "MOST_CHANGES", 3)
    for _ in range(6):
        await database(draw)(video, owner)
    page = await open_socket(owner, video)
    welcome = await page.resume(seq, 0)
    assert len(welcome.state.scribbles) == 6


async def test_nothing_is_lost_between_the_state_and_what_follows(open_socket: Open, owner: User, video: Video) -> None:
    """While four pages connect, scribbles are stored. Each page gets every scribble exactly once: in the state or as a
    message.
    """

    async def write() -> None:
        for _ in range(25):
            await database(draw)(video, owner)

    writing = asyncio.create_task(write())
    pages = []
    for _ in range(4):
        page = await open_socket(owner, video)
        pages.append((page, await page.resume()))
    await writing
    for page, welcome in pages:
        keys = {scribble.key for scribble in welcome.state.scribbles}
        while len(keys | {message.scribble.key for message in page.seen if message.type == "scribble.added"}) < 25:
            await page.next()
        told = [message.seq for message in page.seen if hasattr(message, "seq")]
        assert told == sorted(set(told))
        assert all(seq > welcome.state.seq for seq in told)


# --- messages that are refused ---


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("nonsense", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "message"),
        ("3", "message"),
        (json.dumps({"type": "scribble.ad"}), "scribble.ad"),
        (json.dumps({"type": "scribble.add", "key": "x", **scribble}), "key"),
        (json.dumps({"type": "scribble.add", "key": "X" * 36, **scribble}), "key"),
        (json.dumps({"type": "scribble.add", "key": str(uuid4()).upper(), **scribble}), "key"),
        (json.dumps({"type": "scribble.add", "key": str(uuid4())[:-1] + "\n", **scribble}), "key"),
        (json.dumps({"type": "scribble.add", "key": str(uuid4()), **scribble, "path": []}), "path"),
        (json.dumps({"type": "scribble.add", "key": str(uuid4()), **scribble, "path": [[0.5, 1.5]]}), "Point 1"),
        (json.dumps({"type": "scribble.add", "key": str(uuid4()), **scribble, "path": [[0.5, float("nan")]]}), "path"),
        (json.dumps({"type": "scribble.add", "key": str(uuid4()), **scribble, "object": 255}), "object"),
        (json.dumps({"type": "scribble.add", "key": str(uuid4()), **scribble, "author": 1}), "author"),
        (
            json.dumps({"type": "round.run", "key": str(uuid4()), "frames": [0], "engine": "e" * 41, "base": None}),
            "engine",
        ),
    ],
)
async def test_a_malformed_message_is_answered_and_nothing_is_stored(
    open_socket: Open, owner: User, video: Video, text: str, where: str
) -> None:
    page = await open_socket(owner, video, resume=True)
    await page.text(text)
    refused = await page.kind("error")
    assert refused.code == "malformed"
    assert where in refused.text
    assert (await count(Scribble), await count(Receipt), await count(Round)) == (0, 0, 0)
    assert (await page.ask("scribble.add", **scribble)).type == "ack", "the socket is still open"


async def test_a_text_with_nul_is_refused_once_and_for_all(open_socket: Open, owner: User, video: Video) -> None:
    page = await open_socket(owner, video, resume=True)
    refused = await page.ask("object.add", name="Ko\0i")
    # The code must not be "not_stored", after which the page would send the message again.
    assert (refused.type, refused.code) == ("error", "malformed")
    assert "NUL" in refused.text


async def test_a_binary_message_is_malformed(open_socket: Open, owner: User, video: Video) -> None:
    page = await open_socket(owner, video, resume=True)
    await page.data(b"\x01\x02")
    assert (await page.kind("error")).code == "malformed"


async def test_a_message_that_is_too_large_ends_the_socket(open_socket: Open, owner: User, video: Video) -> None:
    page = await open_socket(owner, video, resume=True)
    path = [[0.123456, 0.5]] * 4000
    text = json.dumps({"type": "scribble.add", "key": str(uuid4()), **scribble, "path": path})
    await page.text(text + " " * (MAX_MESSAGE_BYTES - len(text) + 1))
    assert (await page.kind("error")).code == "too_large"
    assert await page.until(lambda got: got == 4413) == 4413
    assert await count(Scribble) == 0


async def test_a_large_message_within_the_limit_is_taken(open_socket: Open, owner: User, video: Video) -> None:
    page = await open_socket(owner, video, resume=True)
    assert (await page.ask("scribble.add", frame=0, object=1, path=[[0.123456, 0.5]] * 5000)).type == "ack"


async def test_too_many_messages_end_the_socket(
    open_socket: Open, owner: User, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "BURST", 5)
    monkeypatch.setattr(consumer, "RATE", 0.001)
    page = await open_socket(owner, video, resume=True)
    for _ in range(5):
        await page.post("scribble.add", **scribble)
    assert (await page.kind("error")).code == "too_many"
    assert await page.until(lambda got: got == 4429) == 4429
    assert await count(Scribble) == 4


async def test_nothing_is_done_before_resume(open_socket: Open, owner: User, video: Video) -> None:
    page = await open_socket(owner, video)
    refused = await page.ask("scribble.add", **scribble)
    assert (refused.code, refused.text) == ("not_resumed", "Expected resume first, got scribble.add.")
    await page.post("ping")
    assert (await page.kind("pong")).type == "pong"
    assert await count(Scribble) == 0


async def test_an_old_page_is_sent_away(open_socket: Open, owner: User, video: Video) -> None:
    page = await open_socket(owner, video)
    await page.post("resume", version=0, seq=0, mask_seq=0)
    assert (await page.kind("error")).code == "old_page"
    assert await page.until(lambda got: got == 4400) == 4400


@pytest.mark.parametrize(("resumes", "code"), [(False, 4400), (True, 4503)])
async def test_a_page_that_the_server_keeps_waiting_may_come_again(
    open_socket: Open, owner: User, video: Video, monkeypatch: pytest.MonkeyPatch, resumes: bool, code: int
) -> None:
    """If the server is too slow to answer `resume`, it closes the socket with 4503, and the page connects again.

    If the page has not sent `resume` in time, the server closes the socket with 4400.
    """
    monkeypatch.setattr(consumer, "RESUME_SECONDS", 0.2)
    real = change_feed.catch_up
    monkeypatch.setattr(change_feed, "catch_up", lambda *args: (time.sleep(0.6), real(*args))[1])
    page = await open_socket(owner, video)
    if resumes:
        await page.post("resume", version=PROTOCOL_VERSION, seq=0, mask_seq=0)
    assert await page.until(lambda got: isinstance(got, int)) == code


async def test_what_a_write_refuses_is_answered_with_its_sentence(open_socket: Open, owner: User, video: Video) -> None:
    page = await open_socket(owner, video, resume=True)
    refused = await page.ask("scribble.add", frame=99, object=1, path=PATH)
    assert (refused.code, refused.text) == ("bad_frame", "Frame 99 is outside this video: it has 0 to 7.")
    assert await count(Receipt) == 0


# --- sockets that the server closes ---


async def test_the_signed_out_are_told_so(open_socket: Open, video: Video) -> None:
    page = await open_socket(None, video)
    assert await page.next() == 4401


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:9999", "", "null", "ftp://localhost"])
async def test_pages_of_other_sites_get_no_socket(open_socket: Open, owner: User, video: Video, origin: str) -> None:
    page = await open_socket(owner, video, origin=origin)
    assert page.closed == 4403


async def test_who_is_no_member_any_more_is_sent_away_at_the_next_message(
    open_socket: Open, annotator: User, video: Video
) -> None:
    page = await open_socket(annotator, video, resume=True)
    await database(Membership.objects.filter(user=annotator).delete)()
    await page.post("scribble.add", **scribble)
    assert await page.until(lambda got: got == 4403) == 4403
    assert await count(Scribble) == 0


@pytest.mark.parametrize("number", [10**18, 2**63, 10**30])
async def test_any_number_that_is_no_video_is_answered_so(open_socket: Open, owner: User, number: int) -> None:
    page = await open_socket(owner, number)
    assert await page.next() == 4404


async def test_pages_of_a_video_that_is_deleted_are_told_so(open_socket: Open, owner: User, video: Video) -> None:
    page = await open_socket(owner, video, resume=True)
    await database(video.delete)()
    await page.post("scribble.add", **scribble)
    assert await page.until(lambda got: got == 4404) == 4404


async def test_who_only_watches_is_sent_away_too(
    open_socket: Open, viewer: User, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(consumer, "RESUME_SECONDS", 0.3)
    page = await open_socket(viewer, video, resume=True)
    await database(Membership.objects.filter(user=viewer).delete)()
    assert await page.until(lambda got: got == 4403) == 4403


async def test_another_role_is_told_with_the_state_that_goes_with_it(
    open_socket: Open, annotator: User, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "CHECK_SECONDS", 0.05)
    page = await open_socket(annotator, video)
    await page.post("resume", version=PROTOCOL_VERSION, seq=0, mask_seq=0)
    assert (await page.kind("welcome")).role == "annotator"
    for role in ("viewer", "reviewer"):
        await database(Membership.objects.filter(user=annotator).update)(role=role)
        assert (await page.kind("welcome")).role == role


@pytest.mark.parametrize("how", ["signed out", "switched off", "new password"])
async def test_who_is_signed_out_is_sent_away(open_socket: Open, annotator: User, video: Video, how: str) -> None:
    page = await open_socket(annotator, video, resume=True)

    def sign_out() -> None:
        if how == "signed out":
            Session.objects.all().delete()
        elif how == "switched off":
            User.objects.filter(pk=annotator.pk).update(is_active=False)
        else:
            annotator.set_password("another horse battery")
            annotator.save()

    await database(sign_out)()
    await page.post("scribble.add", **scribble)
    assert await page.until(lambda got: got == 4401) == 4401
    assert await count(Scribble) == 0


async def test_a_role_counts_from_the_message_after_its_change(
    open_socket: Open, annotator: User, video: Video
) -> None:
    page = await open_socket(annotator, video, resume=True)
    await database(Membership.objects.filter(user=annotator).update)(role=Role.VIEWER)
    refused = await page.ask("object.add", name="x")
    assert refused.code == "forbidden"
    assert await count(Object) == 1


async def test_presence_shows_who_looks_where(open_socket: Open, owner: User, annotator: User, video: Video) -> None:
    first, second = await open_socket(owner, video, resume=True), await open_socket(annotator, video, resume=True)
    await first.post("looking", frame=3)
    await second.post("looking", frame=6)
    for page in (first, second):
        there = await page.until(lambda got: getattr(got, "type", "") == "presence" and len(got.viewers) == 2)
        assert [(viewer.person.name, viewer.frame) for viewer in there.viewers] == [("Annotator", 6), ("Owner", 3)]
    await second.leave()
    left = await first.until(lambda got: getattr(got, "type", "") == "presence" and len(got.viewers) == 1)
    assert left.viewers[0].person.name == "Owner"
