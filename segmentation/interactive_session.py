"""A session for the notebook: draw on frames of a video, get masks of all of them, save what was made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation.engine import Engine, EngineSettings
from segmentation.formats.saving import SAVERS, SavedSession
from segmentation.masks import shown_ids
from segmentation.registry import create_engine_session, engine_spec
from segmentation.session.checks import check_frame
from segmentation.session.packed_labels import PackedLabels
from segmentation.types import IGNORE, MAX_OBJECTS, FrameSource, Interaction, LabelMap, MaskUpdate, Scribble
from segmentation.video import Video, open_video


def open_session(
    engine: str,
    video: Video | FrameSource | NDArray[np.uint8] | Path | str,
    *,
    objects: int = 1,
    weights: Path | str | None = None,
    device: str = "auto",
    **options: Any,
) -> InteractiveSession:
    """Open an engine on a video.

    Args:
        engine: name of an engine ("star", "flow", "stm", ...; `segmentation.ENGINES` has all), or "default".
        video: from `open_video`, or whatever `open_video` takes.
        objects: how many objects there are, 1..254. Drawing a further one adds it.
        weights: a checkpoint; None takes the one that ships, or that was added by `manage.py weights add`.
        device: "auto", "cpu", "cuda" or "cuda:<n>".
        options: options of the engine, which its CARD.md lists.

    Raises:
        ValueError: the sentence names the argument that is wrong. Of an unknown engine it lists the known ones.
    """
    if not isinstance(engine, str):
        raise ValueError(f"engine: expected the name of an engine, got {type(engine).__name__}; the video comes second")
    spec = engine_spec(engine)
    opened = open_video(video)
    settings = EngineSettings(device=device, weights=None if weights is None else str(weights))
    session = InteractiveSession(create_engine_session(spec.name, opened, objects, settings, **options), opened)
    session.owns_video = opened is not video
    return session


class InteractiveSession:
    """An engine with one video open. Use it in a `with` block, or call `close`.

    Attributes:
        video: the video.
        masks: the newest mask of each frame that has one: frame -> uint8 [H, W], 0 = background, 1..N = objects.
        interactions: what was drawn, in order, of all rounds that have begun.
    """

    def __init__(self, engine: Engine, video: Video) -> None:
        self.video = video
        self.interactions: list[Interaction] = []
        self.owns_video = False
        self._engine = engine
        self._masks = PackedLabels()
        self._running: Round | None = None

    @property
    def engine(self) -> str:
        """The name of the engine."""
        return self._engine.name

    @property
    def objects(self) -> int:
        """How many objects the session knows."""
        return self._engine.num_objects

    @property
    def masks(self) -> Mapping[int, LabelMap]:
        return self._masks

    @property
    def locked(self) -> tuple[int, ...]:
        """The frames whose masks were given, ascending. No round changes them."""
        return tuple(sorted(self._engine.locked))

    def scribble(self, *, frame: int, object: int, path: ArrayLike) -> Round:
        """Draw one scribble and propagate.

        Args:
            frame: the frame that is drawn on, 0..len(video) - 1.
            object: the object's id, 1..254, or 0 for the background. An id above those so far adds objects.
            path: points (x, y) along the scribble, [P, 2] with P >= 1; fractions of width and height, 0..1.

        Returns:
            The round. Iterating it computes the masks and yields them, the drawn frame first; `run()` computes all.

        Raises:
            ValueError: an argument is wrong; nothing has changed then.
        """
        return self.draw(frame=frame, scribbles=[Scribble(object, _points(path))])

    def draw(self, *, frame: int, scribbles: Iterable[Scribble]) -> Round:
        """Draw several scribbles on one frame and propagate, as `scribble` does for one."""
        drawn = list(scribbles)
        if not all(isinstance(each, Scribble) for each in drawn):
            raise ValueError("scribbles: expected segmentation.Scribble(object_id, path) for each")
        return self.interact(Interaction(frame, tuple(drawn)))

    def interact(self, interaction: Interaction) -> Round:
        """Run the round of an interaction, from `read_scribbles` or a simulated user. Raises ValueError as above."""
        check_frame("frame", interaction.frame, len(self.video))
        self._grow(interaction.scribbles)
        self._engine.check(interaction)
        self._stop()
        total = len(self.video) - len(self.locked)
        self._running = Round(self._updates(interaction), self._masks, total)
        return self._running

    def _updates(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        self.interactions.append(interaction)
        yield from self._engine.run_round(interaction)

    def give(self, frame: int, labels: LabelMap) -> None:
        """Give the mask of a frame: no later round changes it, and engines propagate from it.

        Args:
            frame: 0..len(video) - 1.
            labels: uint8 [H, W] of the video's size, 0 = background, 1..254 = objects.

        Raises:
            ValueError: the sentence names the argument.
        """
        if isinstance(labels, np.ndarray) and labels.dtype == np.uint8 and (labels == IGNORE).any():
            raise ValueError("labels: 255 is no object; ids are 1..254")
        self._stop()
        self._engine.lock(frame, labels)
        self._add_objects(max(shown_ids(labels), default=0))
        self._masks[int(frame)] = labels

    def release(self, frame: int) -> None:
        """Let later rounds change a mask that was given. A frame that is not locked stays as it is."""
        self._stop()
        self._engine.unlock(frame)

    def save(self, folder: Path | str, *, format: str = "labels") -> Path:
        """Write what was made; returns the folder.

        Args:
            folder: is made when it is not there. Files of the same names are replaced.
            format: "labels" for label PNGs 00000.png, 00001.png, ...; "davis" for frames and masks in the DAVIS layout;
                "scribbles" for scribbles.json, the interactions of the challenge's format.

        Raises:
            ValueError: an unknown format (the known ones are listed), or nothing to save.
        """
        saver = SAVERS.get(format)
        if saver is None:
            raise ValueError(f"format: unknown {format!r}, known are {', '.join(SAVERS)}")
        made = SavedSession(self.video, self.video.name, self.video.files, self._masks, tuple(self.interactions))
        root = Path(folder)
        if root.exists() and not root.is_dir():
            raise ValueError(f"folder: {root} is a file")
        saver(made, root)
        return root

    def close(self) -> None:
        """Free the engine's memory. The masks stay; the session runs no further round."""
        self._stop()
        self._engine.close()
        if self.owns_video:
            self.video.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"<InteractiveSession {self.engine} on {self.video.name!r}: {len(self._masks)} of {len(self.video)} masks>"
        )

    def _stop(self) -> None:
        """A round that is not finished ends here; the masks that it gave stay."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def _grow(self, scribbles: Sequence[Scribble]) -> None:
        ids = [each.object_id for each in scribbles]
        for number in ids:
            if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 0 <= number <= MAX_OBJECTS:
                raise ValueError(f"object: expected 1..{MAX_OBJECTS}, or 0 for the background, got {number!r}")
        for each in scribbles:
            _check_path(_points(each.path))
        self._add_objects(max(ids, default=0))

    def _add_objects(self, highest: int) -> None:
        if highest > self._engine.num_objects:
            self._engine.num_objects = int(highest)


class Round(Iterator[MaskUpdate]):
    """A round that computes while it is iterated: yields the mask of the drawn frame, then of the others, outward.

    Leaving the loop early keeps the masks so far; the next round, or `stop`, ends this one.

    Attributes:
        done: masks so far.
        total: masks at most: one for each frame that is not locked.
    """

    def __init__(self, updates: Iterator[MaskUpdate], masks: PackedLabels, total: int) -> None:
        self.done = 0
        self.total = total
        self._updates = updates
        self._masks = masks

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> MaskUpdate:
        update = next(self._updates)
        self._masks[update.frame] = update.labels
        self.done += 1
        return update

    def __length_hint__(self) -> int:
        return self.total - self.done

    def run(self) -> int:
        """Compute the rest of the round; returns how many masks it gave in all."""
        for _ in self:
            pass
        return self.done

    def stop(self) -> None:
        """End the round; the masks that it gave stay."""
        close = getattr(self._updates, "close", None)
        if close is not None:
            close()


def _points(path: ArrayLike) -> NDArray[np.float64]:
    try:
        points = np.asarray(path, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError("path: expected points [(x, y), ...], numbers in 0..1") from None
    return points


def _check_path(points: NDArray[np.float64]) -> None:
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 1:
        raise ValueError(f"path: expected at least one point (x, y), [P, 2], got shape {points.shape}")
    if not np.isfinite(points).all() or points.min() < 0 or points.max() > 1:
        raise ValueError("path: points are fractions of width and height, 0..1; divide pixels by (width, height)")
