"""Tests of Outbox, which holds what one socket has yet to send, and drops what a slow browser need not get."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from webapp.annotation.codec import PackedMask, unpack
from webapp.live import outbox as module
from webapp.live.change_feed import LogEntry
from webapp.live.outbox import BATCH_BYTES, Outbox


def mask(seq: int, frame: int, size: int = 10) -> PackedMask:
    return PackedMask(seq, 1, frame, (), bytes(size))


def drain(outbox: Outbox) -> list[str | list[int]]:
    """Empty the outbox. Return its messages as text, and for a binary message the `seq` numbers of its masks."""
    out: list[str | list[int]] = []
    while (payload := outbox.next()) is not None:
        out.append(payload if isinstance(payload, str) else [mask.seq for mask in unpack(payload)])
    return out


async def test_only_the_newest_mask_of_a_frame_waits() -> None:
    outbox = Outbox()
    outbox.masks([mask(1, 0), mask(2, 1), mask(3, 2)])
    outbox.masks([mask(4, 0), mask(5, 1)])
    assert drain(outbox) == [[3, 4, 5]]


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=60))
def test_whenever_it_is_read_numbers_go_up_and_every_frame_ends_with_its_newest(steps: list) -> None:
    async def run() -> None:
        outbox, sent, newest = Outbox(), [], {}
        for seq, (frame, read) in enumerate(steps, start=1):
            outbox.masks([mask(seq, frame)])
            newest[frame] = seq
            if read:
                payload = outbox.next()
                sent += unpack(payload) if isinstance(payload, bytes) else []
        while isinstance(payload := outbox.next(), bytes):
            sent += unpack(payload)
        assert [message.seq for message in sent] == sorted({message.seq for message in sent})
        assert {message.frame: message.seq for message in sent} == newest

    asyncio.run(run())


async def test_frames_are_batched_up_to_64_kb() -> None:
    outbox = Outbox()
    outbox.masks([mask(seq, seq, 3000) for seq in range(1, 51)])
    payloads = []
    while isinstance(payload := outbox.next(), bytes):
        payloads.append(payload)
    assert len(payloads) == 3
    assert max(map(len, payloads)) < BATCH_BYTES + 4000


async def test_the_end_of_a_round_is_told_after_its_masks() -> None:
    outbox = Outbox()
    outbox.tell([LogEntry(1, "starts", False)])
    outbox.masks([mask(1, 0)])
    outbox.tell([LogEntry(2, "ends", True), LogEntry(3, "after", False)])
    assert drain(outbox) == ["starts", [1], "ends", "after"]


async def test_hints_are_replaced_and_wait_for_what_counts() -> None:
    outbox = Outbox()
    for text in ("1 of 9", "2 of 9"):
        outbox.hint("progress", text)
    outbox.message("ack")
    assert drain(outbox) == ["ack", "2 of 9"]


async def test_a_browser_that_is_too_far_behind_is_noticed_and_keeps_its_answers() -> None:
    outbox = Outbox()
    outbox.message("ack")
    outbox.tell(LogEntry(number, str(number), False) for number in range(module.MOST_WAITING + 1))
    assert outbox.overflowed
    outbox.forget()
    assert (outbox.overflowed, drain(outbox)) == (False, ["ack"])


async def test_nothing_is_sent_after_rows_were_dropped() -> None:
    """A full outbox drops rows of the change log. It then takes no later rows either, until `forget` is called.

    A page that received a later row would never ask for the dropped ones.
    """
    outbox = Outbox()
    outbox.tell(LogEntry(number, str(number), False) for number in range(module.MOST_WAITING + 1))
    assert len(drain(outbox)) == module.MOST_WAITING
    outbox.tell([LogEntry(9999, "9999", False)])
    assert (outbox.overflowed, drain(outbox)) == (True, [])
    outbox.forget()
    outbox.tell([LogEntry(10000, "10000", False)])
    assert drain(outbox) == ["10000"]
