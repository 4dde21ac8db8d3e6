"""Divides a round into parts, each of which is drawn on one frame and computes the frames of its zone.

A round that was drawn on one frame is one part. A round with several drawn frames first computes these frames, in the
order in which they come; then each frame is computed from the drawn frame that it is nearest to. A stored round is
divided in the same way, so that a session that was rebuilt from it equals the one that ran it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from segmentation.types import Interaction, PastRound

T = TypeVar("T")
DIRECTIONS = "both", "forward", "backward"


class RoundPart(NamedTuple):
    """What was drawn on one frame, and the frames that may be computed from there.

    `done` are frames that this round has computed already: they keep their masks.
    """

    interaction: Interaction
    zone: range
    done: frozenset[int]


def parts_of(interactions: Sequence[Interaction], span: range, direction: str) -> list[RoundPart]:
    """Divide a round. The frames of the interactions differ and lie in `span`, the frames that it may compute."""
    if len(interactions) == 1:
        (only,) = interactions
        return [RoundPart(only, _zone(only.frame, [only.frame], span, direction), frozenset())]
    frames = [each.frame for each in interactions]
    done = frozenset(frames)
    first = [RoundPart(each, range(each.frame, each.frame + 1), frozenset()) for each in interactions]
    return first + [RoundPart(each, _zone(each.frame, frames, span, direction), done) for each in interactions]


def stored_parts(past: PastRound, count: int) -> Iterator[PastRound]:
    """Divide a stored round of a video of `count` frames: yield a round drawn on one frame for each part with masks.

    The span of the round need not be known, because frames outside of it have no mask.
    """
    if len(past.interactions) == 1:
        yield past
        return
    for part in parts_of(past.interactions, range(count), past.direction):
        frames = [frame for frame in past.labels if frame in part.zone and frame not in part.done]
        if frames:
            labels, states = SomeFrames(past.labels, frames), SomeFrames(past.engine_states, frames)
            yield replace(past, interactions=(part.interaction,), labels=labels, engine_states=states)


def outward(start: int, frames: range) -> Iterator[int]:
    """Yield consecutive frames by their distance from `start`, which is among them.

    Of two frames at the same distance the later one comes first.
    """
    yield start
    for distance in range(1, len(frames)):
        if start + distance in frames:
            yield start + distance
        if start - distance in frames:
            yield start - distance


class SomeFrames(Mapping[int, T]):
    """The values of a mapping for some frames, where it has them. They are read when they are asked for."""

    def __init__(self, values: Mapping[int, T], frames: Iterable[int]) -> None:
        self._values = values
        self._frames = dict.fromkeys(frame for frame in frames if frame in values)

    def __getitem__(self, frame: int) -> T:
        if frame not in self._frames:
            raise KeyError(frame)
        return self._values[frame]

    def __contains__(self, frame: object) -> bool:
        return frame in self._frames

    def __iter__(self) -> Iterator[int]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)


def _zone(frame: int, drawn: Sequence[int], span: range, direction: str) -> range:
    """Return the frames that are computed from `frame`. Of two drawn frames at the same distance the earlier one
    is taken.
    """
    earlier = max((f for f in drawn if f < frame), default=None)
    later = min((f for f in drawn if f > frame), default=None)
    if direction == "both":
        first = span.start if earlier is None else (earlier + frame) // 2 + 1
        last = span.stop - 1 if later is None else (frame + later) // 2
    elif direction == "forward":
        first, last = frame, span.stop - 1 if later is None else later - 1
    else:
        first, last = span.start if earlier is None else earlier + 1, frame
    return range(first, last + 1)
