"""What a follower hands on."""

from __future__ import annotations

from webapp.live.follower import Subscriber
from webapp.live.outbox import Outbox
from webapp.live.publish import News, Told


def news(*seqs: int) -> News:
    return News([Told(seq, str(seq), False) for seq in seqs], [], [], False)


def sent(outbox: Outbox) -> list[object]:
    out = []
    while (payload := outbox.next()) is not None:
        out.append(payload)
    return out


async def test_what_comes_while_a_state_is_read_is_kept_back_and_not_told_twice() -> None:
    subscriber = Subscriber(outbox := Outbox())
    subscriber.take(news(1, 2, 3))
    assert sent(outbox) == []
    subscriber.caught_up(2, 0)
    assert sent(outbox) == ["3"]


async def test_a_look_that_began_before_the_state_was_read_brings_nothing_twice() -> None:
    subscriber = Subscriber(outbox := Outbox())
    subscriber.caught_up(7, 0)
    subscriber.take(news(4, 5))
    subscriber.take(news(6, 7, 8))
    assert sent(outbox) == ["8"]
