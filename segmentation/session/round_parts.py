"""Divides a round into parts. A part is drawn on one frame and computes a range of frames around it, its zone.

A round that was drawn on one frame has one part. In a round with several drawn frames, the first parts compute these
frames only, in the order of the interactions. Then each other frame is computed from the nearest drawn frame: with the
direction "forward" the nearest one before it, with "backward" the nearest one after it. A stored round is divided in
the same way, so that a session that is rebuilt from it computes the same masks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from segmentation.types import Interaction, PastRound

T = TypeVar("T")
DIRECTIONS = "both", "forward", "backward"


class RoundPart(NamedTuple):
    """A part of a round: what was drawn on one frame, and the frames `zone` that may be computed from that frame.

    `done` are frames that earlier parts of the round have computed; they keep their masks.
    """

    interaction: Interaction
    zone: range
    done: frozenset[int]


def parts_of(interactions: Sequence[Interaction], span: range, direction: str) -> list[RoundPart]:
    """Return the parts into which a round is divided, in the order in which an engine computes them.

    Args:
        interactions: what was drawn; their frames differ and lie in `span`.
        span: the frames that the round may compute.
        direction: "both", "forward" or "backward", as in `Engine.run_round`.
    """
    if len(interactions) == 1:
        (only,) = interactions
        return [RoundPart(only, _zone(only.frame, [only.frame], span, direction), frozenset())]
    frames = [each.frame for each in interactions]
    done = frozenset(frames)
    first = [RoundPart(each, range(each.frame, each.frame + 1), frozenset()) for each in interactions]
    return first + [RoundPart(each, _zone(each.frame, frames, span, direction), done) for each in interactions]


def stored_parts(past: PastRound, count: int) -> Iterator[PastRound]:
    """Divide a stored round into parts, each drawn on one frame. Yield, as a round, each part that has a mask.

    `count` is the number of frames of the video. The span of the round is not needed: frames outside it have no mask.
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
    """Yield the frames of the range `frames`, which contains `start`, by their distance from `start`.

    Of two frames at the same distance, the later frame comes first.
    """
    yield start
    for distance in range(1, len(frames)):
        if start + distance in frames:
            yield start + distance
        if start - distance in frames:
            yield start - distance


class SomeFrames(Mapping[int, T]):
    """A view of a mapping by frame that shows only the entries of the given frames. Values are read on access."""

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
    """Return the zone of a drawn frame: the frames of `span` that are computed from it.

    With the direction "both", these are the frames that are nearer to `frame` than to any other frame of `drawn`. A
    frame in the middle between two drawn frames is computed from the earlier of the two. With "forward" or "backward",
    the zone reaches from `frame` in this direction to the next drawn frame or the end of `span`.
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
