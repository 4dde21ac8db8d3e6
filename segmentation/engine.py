"""The base class of all engines: a session of one method on one video, whose rounds are generators of masks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.masks import shown_ids
from segmentation.session.packed_labels import PackedLabels
from segmentation.types import MAX_OBJECTS, FrameSource, Interaction, LabelMap, MaskUpdate, PastRound, Scribble


@dataclass(frozen=True)
class EngineSettings:
    """How an engine may use the machine.

    Args:
        device: "auto", "cpu", "cuda" or "cuda:<n>".
        weights: a checkpoint, or a folder with checkpoints; None: those that `segmentation.weights` finds.
        memory_bytes: budget for everything that is cached between frames and rounds.
        cache_dir: folder in which features may be stored; None: features are cached in memory only.
        max_side: longest side in pixels of the frame that the networks see; None: the engine's own choice.
        seed: for methods that draw random numbers.
    """

    device: str = "auto"
    weights: str | None = None
    memory_bytes: int = 1 << 30
    cache_dir: str | None = None
    max_side: int | None = None
    seed: int = 0


class Engine(ABC):
    """A session of one method on one video.

    Subclasses implement `_setup`, `_run` and `_restore`. This class checks what it is given and keeps locked frames.

    Args:
        frames: lazy frames, all of one size.
        num_objects: how many objects the video has so far, 1..254. It can be raised by assigning `num_objects`.
        settings: machine settings.
        options: the engine's own options, which its CARD.md lists. Unknown names raise ValueError.
    """

    name: str

    def __init__(
        self,
        frames: FrameSource,
        num_objects: int,
        settings: EngineSettings | None = None,
        **options: Any,
    ) -> None:
        if len(frames) < 1:
            raise ValueError("frames: the video has no frames")
        self.frames = frames
        self.settings = settings or EngineSettings()
        # An engine calls this between long steps that yield no mask. Where it returns True, the round ends as if its
        # generator had been closed.
        self.stopping: Callable[[], bool] = _never
        self.locked = PackedLabels()  # compressed, because a team may accept every frame of a long video
        self.locked_ids: dict[int, frozenset[int]] = {}  # for each locked frame, the ids in its mask, 0 included
        self._num_objects = 0
        self.num_objects = num_objects
        self._check_options(options)
        self._setup(**options)

    @property
    def num_objects(self) -> int:
        return self._num_objects

    @num_objects.setter
    def num_objects(self, value: int) -> None:
        _check_whole("num_objects", value)
        if not 1 <= value <= MAX_OBJECTS:
            raise ValueError(f"num_objects: {value} is outside 1..{MAX_OBJECTS}")
        before = self._num_objects
        if value < before:
            raise ValueError(f"num_objects: cannot shrink from {before} to {value}")
        self._num_objects = int(value)
        # A locked mask may contain the id of an object that is added only now. What the engine computed from that mask
        # lacks the object and must be computed again.
        for frame in [
            frame for frame, ids in self.locked_ids.items() if any(before < object_id <= value for object_id in ids)
        ]:
            self._locked_changed(frame)

    @property
    def nbytes(self) -> int:
        """An upper bound of the bytes that the session holds between rounds; by default its whole budget."""
        return self.settings.memory_bytes

    def lock(self, frame: int, labels: LabelMap) -> None:
        """Fix the mask of an accepted frame. No later round changes it, and the engine uses it as ground truth.

        The mask may contain ids of objects that are added later. Until then, no object has these pixels.

        Args:
            labels: uint8 [H, W] at the size of the video.

        Raises:
            ValueError: the frame is outside of the video, or the mask has another size or dtype.
        """
        self._check_frame("frame", frame)
        expected = (self.frames.height, self.frames.width)
        if not isinstance(labels, np.ndarray):
            raise ValueError(f"labels: expected uint8 {expected}, got {type(labels).__name__}")
        if labels.shape != expected or labels.dtype != np.uint8:
            raise ValueError(f"labels: expected uint8 {expected}, got {labels.dtype} {labels.shape}")
        frame = int(frame)
        self.locked[frame] = labels
        self.locked_ids[frame] = shown_ids(labels)
        self._locked_changed(frame)

    def unlock(self, frame: int) -> None:
        if frame in self.locked:
            del self.locked[frame], self.locked_ids[frame]
            self._locked_changed(frame)

    def run_round(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        """Run a round and yield the masks that it computes: that of the interacted frame first, then outward.

        There is at most one mask for each frame, and none for a locked frame. A frame without a new mask keeps the one
        it had. When the round ends, every frame that is not locked has a mask. `confidence` has one entry for each of
        the session's objects.

        A round is cancelled when its generator is closed early or `stopping` returns True. The masks that it yielded
        count, and the session stays usable: its state is that of a session that was restored from this partial round.
        A subclass must therefore add a mask to its state before it yields the mask.

        Raises:
            ValueError: the interaction cannot be used; the message names the field, and nothing has changed.
        """
        self.check(interaction)
        # Scribbles on a locked frame are part of the history, too; only its mask is fixed.
        for update in self._run(_plain(interaction)):
            if update.frame in self.locked:
                continue
            yield update

    def restore(self, rounds: Sequence[PastRound]) -> None:
        """Bring the session to the state after further rounds, oldest first. A round without masks changes nothing."""
        for past in rounds:
            if not past.labels:
                continue
            if past.num_objects > self._num_objects:
                self.num_objects = past.num_objects
            own = past if past.engine == self.name else replace(past, engine_states={})
            self._restore(own)

    def close(self) -> None:  # noqa: B027 (most engines have nothing to free)
        """Free the session's caches on disk and its device memory. A closed session must not be used again."""

    # --- for subclasses -------------------------------------------------------------------------------------------

    @abstractmethod
    def _setup(self, *args: Any, **options: Any) -> None:
        """Load networks. Subclasses declare the engine's options as keyword arguments."""

    @abstractmethod
    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]: ...

    @abstractmethod
    def _restore(self, past: PastRound) -> None: ...

    def _locked_changed(self, frame: int) -> None:  # noqa: B027 (a hook)
        """Called when a frame was locked or unlocked. Engines that keep a memory of masks update it here."""

    # --- checks ---------------------------------------------------------------------------------------------------

    def check(self, interaction: Interaction) -> None:
        """Raise ValueError for an interaction that this session cannot use. The message names the field."""
        self._check_frame("interaction.frame", interaction.frame)
        if not interaction.scribbles:
            raise ValueError("interaction.scribbles: empty, draw at least one scribble")
        for i, scribble in enumerate(interaction.scribbles):
            field = f"interaction.scribbles[{i}]"
            _check_whole(f"{field}.object_id", scribble.object_id)
            if not 0 <= scribble.object_id <= self._num_objects:
                raise ValueError(f"{field}.object_id: {scribble.object_id} is unknown, have 0..{self._num_objects}")
            path = _points(f"{field}.path", scribble.path)
            if path.ndim != 2 or path.shape[1] != 2 or len(path) < 1:
                raise ValueError(f"{field}.path: expected [P, 2] points, got shape {path.shape}")
            if not np.isfinite(path).all() or path.min() < 0 or path.max() > 1:
                raise ValueError(f"{field}.path: points must lie inside the frame (0..1)")

    def _check_options(self, options: dict[str, Any]) -> None:
        known = [
            name
            for name, parameter in signature(self._setup).parameters.items()
            if parameter.kind is not parameter.VAR_KEYWORD
        ]
        unknown = sorted(set(options) - set(known))
        if unknown:
            has = f"its options are {', '.join(known)}" if known else "it has no options"
            raise ValueError(f"options: {self.name} does not know {', '.join(unknown)}; {has}")

    def _check_frame(self, field: str, frame: int) -> None:
        _check_whole(field, frame)
        if not 0 <= frame < len(self.frames):
            raise ValueError(f"{field}: {frame} is outside 0..{len(self.frames) - 1}")


def _never() -> bool:
    return False


def _check_whole(field: str, value: object) -> None:
    """Refuse numbers with a fraction, which would be cut off, and bool, which would be taken for 0 or 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"{field}: expected a whole number, got {value!r}")


def _points(field: str, path: object) -> NDArray[np.float64]:
    try:
        points = np.asarray(path)
        if points.dtype.kind not in "fiu":  # NumPy would drop an imaginary part and parse text
            raise ValueError(f"got {points.dtype}")
        return points.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{field}: expected [P, 2] numbers ({error})") from error


def _plain(interaction: Interaction) -> Interaction:
    """Convert ids and indices to Python's int: arithmetic with an index of type uint8 would overflow at 256."""
    scribbles = (
        Scribble(int(scribble.object_id), np.asarray(scribble.path, np.float64)) for scribble in interaction.scribbles
    )
    return Interaction(int(interaction.frame), tuple(scribbles))


def outward(start: int, count: int) -> Iterator[int]:
    """Yield the indices 0..count-1 by their distance from `start`; of two at the same distance, the later one first."""
    yield start
    for distance in range(1, count):
        if start + distance < count:
            yield start + distance
        if start - distance >= 0:
            yield start - distance
