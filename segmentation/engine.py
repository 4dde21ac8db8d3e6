"""What every engine is: one object a video, one verb (`run_round`), a generator that can be stopped between frames."""

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
    """How an engine may use the machine. `device` is "auto", "cpu", "cuda" or "cuda:<n>"."""

    device: str = "auto"
    weights: str | None = None  # path of a checkpoint; None = what segmentation.weights finds for the engine
    memory_bytes: int = 1 << 30  # budget of everything cached between frames and rounds
    cache_dir: str | None = None  # where features may be spilled; None = memory only
    max_side: int | None = None  # longest side of the internal frame; None = the engine's own choice
    seed: int = 0


class Engine(ABC):
    """A session of one method on one video.

    Subclasses implement `_run` and `_restore`; validation, locked frames and the order of objects live here, once.

    Args:
        frames: lazy frames, all of one size.
        num_objects: how many objects exist so far, 1..254. Grows through `num_objects = n`.
        settings: machine settings.
        options: the engine's own options (its CARD.md lists them); unknown names raise TypeError.
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
        # Asked between long steps that no mask comes of: a round ends where it is true, as one that was closed.
        self.stopping: Callable[[], bool] = _never
        self.locked = PackedLabels()  # a team may accept every frame of a long video
        self.locked_ids: dict[int, frozenset[int]] = {}  # by accepted frame: what its mask shows, background included
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
        # A mask may have been accepted that shows an object which the session learns of only now: what an engine made
        # of it then does not have that object.
        for frame in [
            frame for frame, ids in self.locked_ids.items() if any(before < object_id <= value for object_id in ids)
        ]:
            self._locked_changed(frame)

    @property
    def nbytes(self) -> int:
        """Bytes that the session holds between rounds: its whole budget, unless an engine knows better."""
        return self.settings.memory_bytes

    def lock(self, frame: int, labels: LabelMap) -> None:
        """Accept a frame's mask: no later round changes it, and it serves as given memory.

        It may show objects that are added later; until then their pixels belong to nobody.
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
        """Yield masks, the interacted frame first, then outward: at most one a frame, none of a locked frame.

        A frame that is not yielded keeps the mask it had; when the round ends, every frame that is not locked has one.
        `confidence` has one entry for each of the session's objects.

        Closing the generator early is a cancelled round, and so is one that ends because `stopping` said so: what was
        yielded counts, the session stays usable, and is then in the same state as one restored from that partial round.
        A subclass therefore takes a mask into its state before it yields it, and nothing else after the last yield that
        the rest of the round depends on.

        Raises:
            ValueError: naming the field, before anything changes.
        """
        self.check(interaction)
        # Every stroke, also on an accepted frame, is part of the history; only the masks of locked frames are fixed.
        for update in self._run(_plain(interaction)):
            if update.frame in self.locked:
                continue
            yield update

    def restore(self, rounds: Sequence[PastRound]) -> None:
        """Bring a session, fresh or kept, to the state after further `rounds` (oldest first).

        A round without masks changed nothing.
        """
        for past in rounds:
            if not past.labels:
                continue
            if past.num_objects > self._num_objects:
                self.num_objects = past.num_objects
            own = past if past.engine == self.name else replace(past, engine_states={})
            self._restore(own)

    def close(self) -> None:  # noqa: B027 (most engines have nothing to free)
        """Free what the session holds (caches on disk, device memory). A closed session is not used again."""

    # --- for subclasses -------------------------------------------------------------------------------------------

    @abstractmethod
    def _setup(self, *args: Any, **options: Any) -> None:
        """Load networks and take the engine's own options, which subclasses name as keyword arguments."""

    @abstractmethod
    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]: ...

    @abstractmethod
    def _restore(self, past: PastRound) -> None: ...

    def _locked_changed(self, frame: int) -> None:  # noqa: B027 (a hook)
        """`frame` was locked or unlocked; engines that keep a memory of masks react here."""

    # --- checks ---------------------------------------------------------------------------------------------------

    def check(self, interaction: Interaction) -> None:
        """Raise ValueError, naming the field, for an interaction that this session cannot use."""
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
    """A number with a fraction would be cut off somewhere, and True taken for object 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"{field}: expected a whole number, got {value!r}")


def _points(field: str, path: object) -> NDArray[np.float64]:
    try:
        points = np.asarray(path)
        if points.dtype.kind not in "fiu":  # numpy would drop the imaginary part, and read text as numbers
            raise ValueError(f"got {points.dtype}")
        return points.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{field}: expected [P, 2] numbers ({error})") from error


def _plain(interaction: Interaction) -> Interaction:
    """The same in Python's own numbers: an index of uint8 would wrap around at 256."""
    scribbles = (
        Scribble(int(scribble.object_id), np.asarray(scribble.path, np.float64)) for scribble in interaction.scribbles
    )
    return Interaction(int(interaction.frame), tuple(scribbles))


def outward(start: int, count: int) -> Iterator[int]:
    """Indices 0..count-1, `start` first, then its neighbours by distance, later frames before earlier ones."""
    yield start
    for distance in range(1, count):
        if start + distance < count:
            yield start + distance
        if start - distance >= 0:
            yield start - distance
