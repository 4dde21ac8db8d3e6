"""A simulated user, which scribbles where an engine is most wrong. It needs a video with ground truth.

It resembles the robot of the DAVIS challenge but is simpler: each correction is one scribble, in the worst frame that
was not drawn on yet. Use `python -m segmentation.evaluation`, which uses the robot itself, for numbers to publish.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.evaluation.stroke import correcting_stroke, first_strokes
from segmentation.interactive_session import open_session
from segmentation.metrics import Score, check_stack, jaccard, object_ids, score
from segmentation.session.checks import check_frame, check_labels
from segmentation.types import IGNORE, FrameSource, Interaction, LabelMap
from segmentation.video import Video, open_video


@dataclass(frozen=True)
class SimulatedRound:
    """One round of a simulated user.

    Attributes:
        interaction: what the simulated user drew.
        score: J and F of every frame and object after the round, [T, N].
        frames: how many masks the round computed.
        seconds: wall-clock time of the round.
    """

    interaction: Interaction
    score: Score
    frames: int
    seconds: float


class SimulatedUser:
    """Computes the scribbles that a person would draw, by comparing masks with the ground truth of a video.

    Args:
        truth: ground truth, uint8 [T, H, W], 0 = background, 255 = "ignore". Its object ids are renumbered 1..N in
            ascending order.

    Attributes:
        truth: the ground truth with ids 1..N; pixels with 255 are background here.
        objects: the number of objects N.

    Raises:
        ValueError: `truth` is of another type or shape, or shows no object.
    """

    def __init__(self, truth: NDArray[np.uint8]) -> None:
        check_stack("truth", truth)
        ids = object_ids(truth)
        if not ids:
            raise ValueError("truth: it shows no object")
        table = np.zeros(IGNORE + 1, np.uint8)
        table[list(ids)] = np.arange(1, len(ids) + 1)
        self.truth = table[truth]
        self.objects = len(ids)

    def first(self) -> Interaction:
        """Return the first interaction: a scribble along the middle of each object that the drawn frame shows.

        The drawn frame is that in which the objects cover the most pixels.
        """
        frame = int(np.argmax([np.count_nonzero(labels) for labels in self.truth]))
        return Interaction(frame, first_strokes(self.truth[frame], self.objects))

    def correct(self, masks: Mapping[int, LabelMap], drawn: set[int]) -> Interaction | None:
        """Return a scribble along the largest wrong region of the frame with the lowest J outside `drawn`.

        Args:
            masks: the masks so far by frame; a frame that is not in it counts as empty.
            drawn: the frames that were drawn on before.

        Returns:
            None if no frame outside `drawn` is wrong.
        """
        return correction(self.truth, self.stacked(masks), drawn, self.objects)

    def score(self, masks: Mapping[int, LabelMap]) -> Score:
        """Return J and F, each [T, N], of N objects in T frames. `masks` are by frame."""
        return score(self.truth, self.stacked(masks), self.objects)

    def stacked(self, masks: Mapping[int, LabelMap]) -> NDArray[np.uint8]:
        """Stack masks, given by frame, into one array, uint8 [T, H, W]. Frames that are not in `masks` are 0.

        Raises:
            ValueError: `masks` is no mapping, or a frame or a mask does not fit the truth.
        """
        if not isinstance(masks, Mapping):
            raise ValueError(f"masks: expected a mask for each frame, by frame, got {type(masks).__name__}")
        result = np.zeros_like(self.truth)
        for frame, labels in masks.items():
            check_frame("masks", frame, len(self.truth))
            check_labels(labels, *self.truth.shape[1:])
            result[frame] = labels
        return result


def correction(
    truth: NDArray[np.uint8], masks: NDArray[np.uint8], drawn: set[int], num_objects: int
) -> Interaction | None:
    """Return a scribble on the frame outside `drawn` with the lowest mean J.

    It returns None if that frame has no wrong pixel, or if there is no frame outside `drawn`.
    """
    worst = sorted(
        (float(jaccard(truth[f], masks[f], num_objects).mean()), f) for f in range(len(truth)) if f not in drawn
    )
    for j, frame in worst[:1]:
        scribble = correcting_stroke(truth[frame], masks[frame]) if j < 1 else None
        if scribble is not None:
            return Interaction(frame, (scribble,))
    return None


def simulate(
    engine: str,
    video: Video | FrameSource | NDArray[np.uint8] | Path | str,
    truth: NDArray[np.uint8] | None = None,
    *,
    rounds: int = 4,
    on_round: Callable[[SimulatedRound], None] | None = None,
    **options: Any,
) -> list[SimulatedRound]:
    """Run rounds of an engine with a simulated user on a video, and return the rounds.

    Args:
        engine: name of an engine, as for `open_session`.
        video: a video, or whatever `open_video` takes. A DAVIS sequence comes with its ground truth.
        truth: ground truth, uint8 [T, H, W]; None takes that of the video.
        rounds: the largest number of rounds, at least 1. There are fewer if the worst frame that was not drawn on has
            no wrong pixel, or if every frame was drawn on.
        on_round: is called after each round.
        options: as for `open_session`.

    Raises:
        ValueError: an argument is wrong; the message names it.
    """
    if isinstance(rounds, bool) or not isinstance(rounds, int) or rounds < 1:
        raise ValueError(f"rounds: expected a whole number from 1 on, got {rounds!r}")
    if on_round is not None and not callable(on_round):
        raise ValueError(f"on_round: expected a function of one round, got {type(on_round).__name__}")
    opened = open_video(video)
    try:
        return _play(engine, opened, truth, rounds, on_round, options)
    finally:
        if opened is not video:
            opened.close()


def _play(
    engine: str,
    opened: Video,
    truth: NDArray[np.uint8] | None,
    rounds: int,
    on_round: Callable[[SimulatedRound], None] | None,
    options: dict[str, Any],
) -> list[SimulatedRound]:
    """Run the rounds of `simulate` on an open video."""
    user = SimulatedUser(truth_of(opened) if truth is None else truth)
    if user.truth.shape != (len(opened), opened.height, opened.width):
        raise ValueError(
            f"truth: is {user.truth.shape}, the video has {(len(opened), opened.height, opened.width)} [T, H, W]"
        )
    played: list[SimulatedRound] = []
    drawn: set[int] = set()
    with open_session(engine, opened, objects=user.objects, **options) as session:
        interaction: Interaction | None = user.first()
        while interaction is not None and len(played) < rounds:
            start = time.perf_counter()
            frames = session.interact(interaction).run()
            seconds = time.perf_counter() - start
            played.append(SimulatedRound(interaction, user.score(session.masks), frames, seconds))
            if on_round is not None:
                on_round(played[-1])
            drawn.add(interaction.frame)
            interaction = user.correct(session.masks, drawn)
    return played


def truth_of(video: Video) -> NDArray[np.uint8]:
    """Return the ground truth of all frames, uint8 [T, H, W]. Raises ValueError if a frame has no ground truth."""
    masks = [video.truth(frame) for frame in range(len(video))]
    missing = [frame for frame, labels in enumerate(masks) if labels is None]
    if missing:
        raise ValueError(f"truth: {video.name} has none on frame {missing[0]}; pass truth=, uint8 [T, H, W]")
    return np.stack([labels for labels in masks if labels is not None])
