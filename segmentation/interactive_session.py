"""The session of scripts and notebooks: draw on frames of a video, get the masks of all frames, save them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation.engine import Engine, EngineSettings
from segmentation.formats.paths import checked_path
from segmentation.formats.saving import SAVERS, SavedSession
from segmentation.interactive_round import Round
from segmentation.masks import shown_ids
from segmentation.registry import create_engine_session, engine_spec
from segmentation.session.checks import check_frame, checked_ids, checked_interactions, checked_list
from segmentation.session.packed_labels import PackedLabels
from segmentation.types import IGNORE, MAX_OBJECTS, Box, Click, FrameSource, Interaction, LabelMap, MaskUpdate, Scribble
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
        objects: how many objects there are, 1..254. Drawing an object with a higher id adds it.
        weights: a checkpoint, or a folder with checkpoints; None takes those that were added by `manage.py weights
            add`, or else the shipped ones.
        device: "auto", "cpu", "cuda" or "cuda:<n>".
        options: options of the engine, which its CARD.md lists.

    Raises:
        ValueError: an argument is wrong, or a checkpoint is missing or cannot be used. For an unknown engine the
            message lists the known engines.
    """
    if not isinstance(engine, str):
        raise ValueError(f"engine: expected the name of an engine, got {type(engine).__name__}; the video comes second")
    spec = engine_spec(engine)
    settings = EngineSettings(device=device, weights=None if weights is None else str(weights))
    opened = open_video(video)
    try:
        session = InteractiveSession(create_engine_session(spec.name, opened, objects, settings, **options), opened)
    except BaseException:
        if opened is not video:
            opened.close()
        raise
    session.owns_video = opened is not video
    return session


class InteractiveSession:
    """An engine with one video open. Use it in a `with` block, or call `close`.

    When it is closed, its masks can be read and saved ("davis" needs the frames too), and other calls raise ValueError.

    Attributes:
        video: the video.
        masks: the newest mask of each frame that has one: frame -> uint8 [H, W], 0 = background, 1..N = objects.
        interactions: what was drawn in all rounds that have begun, in order.
    """

    def __init__(self, engine: Engine, video: Video) -> None:
        self.video = video
        self.interactions: list[Interaction] = []
        self.owns_video = False
        self._engine = engine
        self._masks = PackedLabels()
        self._running: Round | None = None
        self._closed = False

    @property
    def engine(self) -> str:
        """The name of the engine."""
        return self._engine.name

    @property
    def objects(self) -> int:
        """How many objects the session has."""
        return self._engine.num_objects

    @property
    def masks(self) -> Mapping[int, LabelMap]:
        return self._masks

    @property
    def locked(self) -> tuple[int, ...]:
        """The frames whose whole mask was fixed by `give`, ascending. No round changes them."""
        return tuple(sorted(self._engine.locked))

    def scribble(self, *, frame: int, object: int, path: ArrayLike) -> Round:
        """Draw one scribble and propagate.

        Args:
            frame: the frame that is drawn on, 0..len(video) - 1.
            object: the object's id, 1..254, or 0 for the background. An id above `objects` adds the missing objects.
            path: points (x, y) along the scribble, [P, 2] with P >= 1; fractions of width and height, 0..1.

        Returns:
            The round. Iterating over it computes and yields the masks, that of the drawn frame first. `run()` computes
            all of them.

        Raises:
            ValueError: an argument is wrong; nothing has changed then.
        """
        self._check_open()
        return self.draw(frame=frame, scribbles=[Scribble(object, _points(path))])

    def click(self, *, frame: int, object: int, point: ArrayLike, positive: bool = True) -> Round:
        """Click on an object, or with `positive=False` on something that does not belong to it, and propagate.

        Args:
            frame: the frame that is clicked on, 0..len(video) - 1.
            object: the object's id, 1..254, or 0 for the background. An id above `objects` adds the missing objects.
            point: (x, y) as fractions of width and height, 0..1.
            positive: whether the point belongs to the object.

        Raises:
            ValueError: as for `scribble`.
        """
        self._check_open()
        x, y = _numbers("point", point, 2)
        return self.interact(Interaction(frame, clicks=(Click(object, (x, y), positive),)))

    def box(self, *, frame: int, object: int, corners: ArrayLike) -> Round:
        """Draw a box around an object and propagate. The object has no pixel outside of it in this frame.

        Args:
            frame: the frame that is drawn on, 0..len(video) - 1.
            object: the object's id, 1..254. An id above `objects` adds the missing objects.
            corners: (x0, y0, x1, y1) as fractions of width and height, 0..1, with x0 < x1 and y0 < y1.

        Raises:
            ValueError: as for `scribble`.
        """
        self._check_open()
        x0, y0, x1, y1 = _numbers("corners", corners, 4)
        return self.interact(Interaction(frame, boxes=(Box(object, (x0, y0, x1, y1)),)))

    def draw(self, *, frame: int, scribbles: Iterable[Scribble]) -> Round:
        """Draw several scribbles on one frame and propagate, as `scribble` does for one, with the same errors."""
        self._check_open()
        drawn = checked_list("scribbles", scribbles)
        if not all(isinstance(each, Scribble) for each in drawn):
            raise ValueError("scribbles: expected segmentation.Scribble(object_id, path) for each")
        return self.interact(Interaction(frame, tuple(drawn)))

    def interact(
        self,
        interactions: Interaction | Sequence[Interaction],
        *,
        span: tuple[int, int] | None = None,
        direction: str = "both",
        only: Iterable[int] | None = None,
    ) -> Round:
        """Run a round from what was drawn on one or several frames.

        Args:
            interactions: one for each drawn frame, from `read_scribbles` or a simulated user, or made of `Scribble`,
                `Click` and `Box`. An interaction without any of these propagates the mask that its frame already has,
                which must show an object.
            span: the first and the last frame that may change, both included; None: all frames.
            direction: "both"; "forward" or "backward" for the frames after or before the drawn ones only.
            only: ids of the objects that may change; None: all objects.

        Raises:
            ValueError: an argument is wrong; nothing has changed then.
        """
        self._check_open()
        drawn = list(checked_interactions(interactions))
        highest = max((_checked_prompts(each, len(self.video)) for each in drawn), default=0)
        count = max(highest, self.objects)
        objects = None if only is None else tuple(sorted(checked_ids("only", only, count)))
        request = self._engine.check_round(drawn, span, direction, objects, count)
        self._stop()
        self._add_objects(highest)
        total = len({frame for part in request.parts() for frame in part.zone} - set(self._engine.locked))
        self._running = Round(self._updates(drawn, span, direction, objects), self._masks, total)
        return self._running

    def _updates(
        self, drawn: list[Interaction], span: tuple[int, int] | None, direction: str, objects: tuple[int, ...] | None
    ) -> Iterator[MaskUpdate]:
        self.interactions += drawn
        yield from self._engine.run_round(drawn, span, direction, objects)

    def preview(self, interaction: Interaction) -> MaskUpdate:
        """Compute the mask that a round would give the drawn frame, without running it: `masks` does not change.

        Raises:
            ValueError: as for `interact`, and also for an object that the session does not have: it is not added.
        """
        self._stop()
        return self._engine.preview(interaction)

    def prepare(self, frames: Iterable[int]) -> None:
        """Compute the features of frames in advance, so that a later round on these frames takes less time.

        Raises:
            ValueError: a frame is outside of the video.
        """
        self._check_open()
        wanted = checked_list("frames", frames)
        for frame in wanted:
            check_frame("frames", frame, len(self.video))
        self._stop()
        for _ in self._engine.prepare(wanted):
            pass

    def give(self, frame: int, labels: LabelMap, objects: Iterable[int] | None = None) -> None:
        """Fix the mask of a frame: no later round changes it, and the engine uses it as ground truth.

        Args:
            frame: 0..len(video) - 1.
            labels: uint8 [H, W] of the video's size, 0 = background, 1..254 = objects.
            objects: fixes only the pixels of these objects. An object stays fixed until `release`, or until a person
                draws on that object in this frame again. None: fixes all pixels of the frame until `release`, and adds
                the objects in `labels` that the session does not have.

        Raises:
            ValueError: an argument is wrong; the message names it.
        """
        self._check_open()
        if isinstance(labels, np.ndarray) and labels.dtype == np.uint8 and (labels == IGNORE).any():
            raise ValueError("labels: 255 is no object; ids are 1..254")
        self._stop()
        if objects is None:
            self._engine.lock(frame, labels)
            self._add_objects(max(shown_ids(labels), default=0))
            self._masks[int(frame)] = labels
        else:
            self._engine.give(frame, labels, checked_ids("objects", objects, self.objects))
            self._masks[int(frame)] = self._engine.masks.newest(int(frame))

    def release(self, frame: int) -> None:
        """Let later rounds change what `give` fixed in a frame. Until a round does, the frame keeps its mask.

        Raises:
            ValueError: the frame is outside of the video.
        """
        self._check_open()
        check_frame("frame", frame, len(self.video))
        self._stop()
        self._engine.unlock(frame)
        self._engine.release(frame)

    def absent(self, *, object: int, first: int, last: int) -> None:
        """Mark an object as not visible in frames `first` to `last`, both included.

        Rounds give it no pixel there, and its pixels in the masks so far are removed, except in masks fixed by `give`.

        Raises:
            ValueError: an argument is wrong; the message names it.
        """
        self._check_open()
        checked_ids("object", [object], self.objects)
        self._stop()
        self._engine.absent(object, first, last)
        for frame in range(first, last + 1):
            if frame in self._masks and frame not in self._engine.locked:
                self._masks[frame] = self._engine.masks.agreeing(frame, self._masks[frame], self.objects)

    def present(self, *, object: int, first: int, last: int) -> None:
        """Undo `absent` for frames `first` to `last`, both included: rounds may give the object pixels there again.

        Raises:
            ValueError: an argument is wrong; the message names it.
        """
        self._check_open()
        checked_ids("object", [object], self.objects)
        self._stop()
        self._engine.present(object, first, last)

    def freeze(self, objects: Iterable[int]) -> None:
        """Set the objects that no round may change in any frame, in place of those of an earlier call.

        Raises:
            ValueError: an object is unknown.
        """
        self._stop()
        self._engine.freeze(checked_ids("objects", objects, self.objects))

    def save(self, folder: Path | str, *, format: str = "labels") -> Path:
        """Write the masks or the scribbles of the session into `folder`, and return it.

        Args:
            folder: is created if it does not exist. Files of the same names are replaced.
            format: "labels" for masks as indexed PNG, 00000.png, 00001.png, ...; "davis" for frames and masks in the
                layout of DAVIS; "scribbles" for all scribbles in the file scribbles.json, in the format of the DAVIS
                interactive challenge.

        Raises:
            ValueError: the format is unknown (the message lists the known ones), there is nothing to save, or `folder`
                is a file.
        """
        saver = SAVERS.get(format)
        if saver is None:
            raise ValueError(f"format: unknown {format!r}, known are {', '.join(SAVERS)}")
        made = SavedSession(self.video, self.video.name, self.video.files, self._masks, tuple(self.interactions))
        root = checked_path("folder", folder)
        if root.exists() and not root.is_dir():
            raise ValueError(f"folder: {root} is a file")
        saver(made, root)
        return root

    def close(self) -> None:
        """Free the engine's memory. `masks` can still be read, but no further round can be run."""
        if self._closed:
            return
        self._end_round()
        self._closed = True
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

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("session: it is closed; open another one")

    def _stop(self) -> None:
        """End the round that is still running, if any. Raise ValueError if the session is closed."""
        self._check_open()
        self._end_round()

    def _end_round(self) -> None:
        """End the round that is still running, if any. The masks that it has computed stay."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def _add_objects(self, highest: int) -> None:
        if highest > self._engine.num_objects:
            self._engine.num_objects = int(highest)


def _checked_prompts(interaction: Interaction, count: int) -> int:
    """Check the prompts of an interaction on a video of `count` frames, and return the highest object id in them."""
    check_frame("frame", interaction.frame, count)
    prompts: list[Scribble | Click | Box] = [*interaction.scribbles, *interaction.clicks, *interaction.boxes]
    ids = [each.object_id for each in prompts]
    for number in ids:
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 0 <= number <= MAX_OBJECTS:
            raise ValueError(f"object: expected 1..{MAX_OBJECTS}, or 0 for the background, got {number!r}")
    for each in interaction.scribbles:
        _check_path(_points(each.path))
    return int(max(ids, default=0))


def _numbers(name: str, values: ArrayLike, count: int) -> list[float]:
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: expected {count} numbers in 0..1") from None
    if found.shape != (count,) or not np.isfinite(found).all() or found.min() < 0 or found.max() > 1:
        raise ValueError(f"{name}: expected {count} fractions of width and height, 0..1, got {values!r}")
    return [float(value) for value in found]


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
