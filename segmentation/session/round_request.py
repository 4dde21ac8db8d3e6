"""The checked arguments of a round."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from segmentation.session import checks
from segmentation.session.prompts import has_prompts
from segmentation.session.round_parts import DIRECTIONS, RoundPart, parts_of
from segmentation.session.session_masks import SessionMasks
from segmentation.types import Interaction


@dataclass(frozen=True)
class RoundRequest:
    """The arguments of `Engine.run_round` after they were checked.

    Args:
        interactions: what was drawn, one interaction for each drawn frame.
        frames: the frames that may get a mask.
        direction: "both", "forward" or "backward".
        objects: ids of the objects that may change; None: all objects.
    """

    interactions: tuple[Interaction, ...]
    frames: range
    direction: str
    objects: frozenset[int] | None

    @classmethod
    def checked(
        cls,
        interactions: Interaction | Sequence[Interaction],
        span: tuple[int, int] | None,
        direction: str,
        objects: Iterable[int] | None,
        video: tuple[int, int],
    ) -> RoundRequest:
        """Check the arguments of `Engine.run_round`, except for interactions without prompts (see `check_prompts`).

        Args:
            video: the number of frames of the video, and the number of objects.

        Raises:
            ValueError: an argument is wrong; the message names it.
        """
        length, count = video
        drawn = checks.checked_interactions(interactions)
        if not drawn:
            raise ValueError("interactions: empty, draw on at least one frame")
        for interaction in drawn:
            checks.check_frame("interaction.frame", interaction.frame, length)
            checks.check_prompts(interaction, count)
        if direction not in DIRECTIONS:
            raise ValueError(f"direction: expected one of {', '.join(DIRECTIONS)}, got {direction!r}")
        drawn = tuple(replace(each, frame=int(each.frame)) for each in drawn)  # uint8 would overflow at 256
        frames = checks.checked_span(span, length)
        for interaction in drawn:
            if interaction.frame not in frames:
                raise ValueError(f"span: {frames.start}..{frames.stop - 1} is without frame {interaction.frame}")
        if len({interaction.frame for interaction in drawn}) < len(drawn):
            raise ValueError("interactions: two are of the same frame; join their scribbles")
        ids = None if objects is None else checks.checked_ids("objects", objects, count)
        return cls(drawn, frames, direction, ids)

    def check_prompts(self, masks: SessionMasks) -> None:
        """Raise ValueError if an interaction has no scribble, click or box and the frame's mask shows no object."""
        for each in self.interactions:
            if not has_prompts(each) and not masks.started_from(each.frame):
                raise ValueError("interaction.scribbles: empty, draw at least one scribble")

    def parts(self) -> list[RoundPart]:
        return parts_of(self.interactions, self.frames, self.direction)
