"""The base class of all engines: a session of one method on one video, whose rounds are generators of masks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.masks import shown_ids
from segmentation.session import checks
from segmentation.session.constraints import Constraints, RoundLimits, with_pixels
from segmentation.session.packed_labels import PackedLabels
from segmentation.session.prompts import as_scribbles, strokes_of
from segmentation.session.round_parts import DIRECTIONS, RoundPart, parts_of, stored_parts
from segmentation.session.standing_masks import StandingMasks
from segmentation.types import MAX_OBJECTS, FrameSource, Interaction, LabelMap, MaskUpdate, PastRound, Scribble

LOST = 0.02  # An object with a smaller share of its size in the frame where it was drawn last is lost.


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

    Subclasses implement `_setup`, `_run`, `_restore` and `_adopt`. This class checks what it is given, divides a round
    into parts that are drawn on one frame each, and keeps what people decided: locked frames, given pixels, absent and
    frozen objects. Every mask of a subclass passes through `_settled` before it is stored and yielded.

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
        self._constraints = Constraints()
        self._standing = StandingMasks()
        self._areas: dict[int, int] = {}  # object id -> pixels in the frame where it was drawn or given last
        self._zone, self._done = range(len(frames)), frozenset[int]()  # of the part that runs, see `RoundPart`
        self._limits = RoundLimits()
        self._previews = False
        self._num_objects = 0
        self.num_objects = num_objects
        self._check_options(options)
        self._setup(**options)

    @property
    def num_objects(self) -> int:
        return self._num_objects

    @num_objects.setter
    def num_objects(self, value: int) -> None:
        checks.check_whole("num_objects", value)
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

    # --- what people decide ---------------------------------------------------------------------------------------

    def lock(self, frame: int, labels: LabelMap, object_ids: Iterable[int] | None = None) -> None:
        """Fix the mask of an accepted frame. No later round changes it, and the engine uses it as ground truth.

        A whole mask may contain ids of objects that are added later. Until then, no object has these pixels.

        Args:
            labels: uint8 [H, W] at the size of the video.
            object_ids: only the pixels of these objects are fixed; None: all pixels of the frame.

        Raises:
            ValueError: the frame is outside of the video, an object is unknown, or the mask has another size or dtype.
        """
        checks.check_frame("frame", frame, len(self.frames))
        labels = checks.checked_labels(labels, self.frames.height, self.frames.width)
        frame = int(frame)
        if object_ids is not None:
            self._constraints.lock(frame, labels, checks.checked_ids("object_ids", object_ids, self._num_objects))
            self._locked_changed(frame)
        else:
            self._lock_whole(frame, labels)

    def unlock(self, frame: int, object_ids: Iterable[int] | None = None) -> None:
        """Let rounds change a locked frame again, or some of its objects if these were locked one by one."""
        fixed = self._constraints.locked_ids(frame)
        ids = fixed if object_ids is None else fixed & set(object_ids)
        if ids:
            self._constraints.unlock(frame, ids)
            self._locked_changed(frame)
        if object_ids is None:
            self._unlock_whole(frame)

    def give(self, frame: int, labels: LabelMap, object_ids: Iterable[int]) -> None:
        """Fix the pixels of some objects in a frame as a person painted or imported them.

        The other objects keep what these leave of their pixels. No later round changes the given pixels, and the engine
        remembers them like an accepted mask. A scribble, click or box for one of the objects in this frame releases it,
        and so does a scribble over its pixels: the given mask is then only the mask so far.

        Args:
            labels: uint8 [H, W] at the size of the video; only pixels of the objects `object_ids` count.
            object_ids: objects 1..`num_objects`. One without a pixel is given as not visible in this frame.

        Raises:
            ValueError: as for `lock`.
        """
        checks.check_frame("frame", frame, len(self.frames))
        labels = checks.checked_labels(labels, self.frames.height, self.frames.width)
        ids = checks.checked_ids("object_ids", object_ids, self._num_objects)
        frame, given = int(frame), PackedLabels()
        given[frame] = with_pixels(self._mask(frame), labels, ids)
        self._take(given)
        self._fix(frame, labels, ids)

    def release(self, frame: int) -> None:
        """Let rounds change everything that was given in a frame; its mask stays as the mask so far."""
        self._constraints.release(frame, self._constraints.given_ids(frame))
        self._locked_changed(frame)

    def absent(self, object_id: int, first: int, last: int) -> None:
        """Say that an object is not in the picture from frame `first` to `last`: no round gives it a pixel there.

        Locked and given pixels in the span stay, because a person made them.

        Raises:
            ValueError: the object is unknown, or the span is not within the video.
        """
        self._set_absent(object_id, first, last, True)

    def present(self, object_id: int, first: int, last: int) -> None:
        """Take back `absent` for a span. Raises ValueError as above."""
        self._set_absent(object_id, first, last, False)

    def freeze(self, object_ids: Iterable[int]) -> None:
        """Say which objects no round may change in any frame, in place of those that were named before.

        Raises:
            ValueError: an object is unknown.
        """
        self._constraints.frozen = checks.checked_ids("object_ids", object_ids, self._num_objects)

    # --- rounds ---------------------------------------------------------------------------------------------------

    def run_round(
        self,
        interactions: Interaction | Sequence[Interaction],
        span: tuple[int, int] | None = None,
        direction: str = "both",
        objects: Iterable[int] | None = None,
    ) -> Iterator[MaskUpdate]:
        """Run a round and yield the masks that it computes: those of the drawn frames first, then outward from them.

        There is at most one mask for each frame, and none for a locked frame. A frame without a new mask keeps the one
        it had. When the round ends, every frame of its span that is not locked has a mask. `confidence` has one entry
        for each of the session's objects.

        A round is cancelled when its generator is closed early or `stopping` returns True. The masks that it yielded
        count, and the session stays usable: its state is that of a session that was restored from this partial round.
        A subclass must therefore add a mask to its state before it yields the mask.

        Args:
            interactions: what was drawn, one interaction for each drawn frame. In a frame whose mask already shows an
                object, an interaction without prompts starts from this mask.
            span: the first and the last frame that may get a mask; None: all.
            direction: "both"; "forward" or "backward" for the frames after or before the drawn ones only.
            objects: only these objects may change; None: all.

        Raises:
            ValueError: an argument cannot be used; the message names it, and nothing has changed.
        """
        drawn, frames, ids = self._checked(interactions, span, direction, objects)
        for part in parts_of(drawn, frames, direction):
            with closing(self._run_part(part, ids)) as updates:
                yield from updates

    def preview(self, interaction: Interaction) -> MaskUpdate:
        """Compute the mask that a round would give the drawn frame, and change nothing.

        Raises:
            ValueError: as for `run_round`.
        """
        (drawn,), _, _ = self._checked(interaction, None, "both", None)
        frame = drawn.frame
        if frame in self.locked:
            return MaskUpdate(frame, self.locked[frame], (1.0,) * self._num_objects)
        self._previews = True
        try:
            for update in self._run_part(RoundPart(drawn, range(frame, frame + 1), frozenset()), None):
                raise RuntimeError(f"{self.name} yielded frame {update.frame} without settling it")
        except _PreviewMade as made:
            return made.update
        finally:
            self._previews = False
        raise RuntimeError(f"{self.name} computed no mask of frame {frame}")

    def prepare(self, frames: Iterable[int]) -> Iterator[int]:
        """Compute features of frames ahead of need, and yield each frame after that. It stops like a round.

        Raises:
            ValueError: a frame is outside of the video.
        """
        for frame in frames:
            checks.check_frame("frames", frame, len(self.frames))
            if self.stopping():
                return
            self._prepare_frame(int(frame))
            yield int(frame)

    def restore(self, rounds: Sequence[PastRound]) -> None:
        """Bring the session to the state after further rounds, oldest first. A round without masks changes nothing."""
        for past in rounds:
            if not past.labels:
                continue
            if past.num_objects > self._num_objects:
                self.num_objects = past.num_objects
            own = past if past.engine == self.name else replace(past, engine_states={})
            if own.interactions:
                for part in stored_parts(own, len(self.frames)):
                    self._restore_part(part)
            else:
                self._take(own.labels)
            for frame, ids in past.given.items():
                self._fix(frame, past.labels[frame], ids)

    def close(self) -> None:  # noqa: B027 (most engines have nothing to free)
        """Free the session's caches on disk and its device memory. A closed session must not be used again."""

    # --- for subclasses -------------------------------------------------------------------------------------------

    @abstractmethod
    def _setup(self, *args: Any, **options: Any) -> None:
        """Load networks. Subclasses declare the engine's options as keyword arguments."""

    @abstractmethod
    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        """Compute the frames of `_zone`, the drawn one first. Its only prompts are scribbles.

        Frames for which `_keeps` is true are not computed. Each mask passes through `_settled` before it changes the
        state, and a round that ends before its first mask leaves no trace.
        """

    @abstractmethod
    def _restore(self, past: PastRound) -> None:
        """Bring the engine to the state after a round that was drawn on one frame."""

    def _adopt(self, labels: Mapping[int, LabelMap]) -> None:  # noqa: B027 (an engine without a memory of masks)
        """Take masks that no round made as the newest ones of their frames. An engine that remembers masks does so."""

    def _on_given(self, frame: int, ids: frozenset[int]) -> None:
        """Called when the pixels of objects were given in a frame, after `_adopt`."""
        self._locked_changed(frame)

    def _locked_changed(self, frame: int) -> None:  # noqa: B027 (a hook)
        """Called when pixels of a frame were fixed or released. Engines that keep a memory of masks update it here."""

    def _prepare_frame(self, frame: int) -> None:  # noqa: B027 (an engine without features)
        """Compute the features of a frame that no prompt changes, and cache them."""

    def _settled_state(self, update: MaskUpdate) -> bytes | None:
        """Return the engine state of a mask that was changed to agree with the constraints.

        Without one, the engine continues from the mask itself.
        """
        return None

    def _settled(self, update: MaskUpdate) -> MaskUpdate:
        """Make a mask agree with what people decided, and remember it as the newest one of its frame.

        A subclass stores and yields what this returns. Objects that are fixed or absent in the frame get confidence 1.
        """
        frame, constraints = update.frame, self._constraints
        labels = constraints.applied(
            frame, update.labels, lambda: self._standing.get(frame), self._limits, self._num_objects
        )
        sure = constraints.fixed_ids(frame) | constraints.absent_ids(frame)
        confidence = tuple(1.0 if i in sure else value for i, value in enumerate(update.confidence, 1))
        counts = np.bincount(labels.ravel(), minlength=self._num_objects + 1)
        settled = replace(update, labels=labels, confidence=confidence, lost=self._lost(update, counts))
        if labels is not update.labels or confidence != update.confidence:
            settled = replace(settled, engine_state=self._settled_state(settled))
        if self._previews:
            raise _PreviewMade(settled)
        if frame == self._limits.frame:
            self._measure(self._limits.drawn, counts)
        self._standing.store(frame, labels)
        return settled

    def _keeps(self, frame: int) -> bool:
        """Whether the round must not change the mask of a frame: it is locked, or this round has drawn it already."""
        return frame in self.locked or frame in self._done

    def _kept(self, frame: int) -> LabelMap:
        """Return the mask of a frame for which `_keeps` is true."""
        return self.locked[frame] if frame in self.locked else self._mask(frame)

    def _mask(self, frame: int) -> LabelMap:
        """Return the newest mask of a frame, empty where there is none. Locked masks are not among them."""
        found = self._standing.get(frame)
        return np.zeros((self.frames.height, self.frames.width), np.uint8) if found is None else found

    def _outward(self, start: int) -> Iterator[int]:
        """Yield the frames of the zone by their distance from `start`, which comes first."""
        return outward(start, self._zone)

    def _sure_frames(self) -> dict[int, frozenset[int]]:
        """Return the frames in which masks of objects are fixed, with the ids that these masks show."""
        fixed = {frame: ids for frame, ids in self._constraints.shown.items() if frame not in self.locked}
        return {**self.locked_ids, **fixed}

    def _sure_labels(self, frame: int) -> LabelMap:
        """Return the fixed pixels of a frame of `_sure_frames`, 0 elsewhere."""
        if frame in self.locked:
            return self.locked[frame]
        found = self._constraints.fixed_labels(frame)
        assert found is not None, "no pixel of this frame is fixed"
        return found

    def _spoken_of(self, frame: int) -> frozenset[int]:
        """Return the ids of objects whose pixels in a frame are known from fixed masks, also those that it lacks."""
        if frame in self.locked:
            return frozenset(range(1, self._num_objects + 1))
        return self._constraints.fixed_ids(frame)

    # --- parts of rounds ------------------------------------------------------------------------------------------

    def _run_part(self, part: RoundPart, objects: frozenset[int] | None) -> Generator[MaskUpdate]:
        self._zone, self._done = part.zone, part.done
        if all(self._keeps(frame) for frame in part.zone):
            return
        frame = part.interaction.frame
        interaction = self._as_drawn(part.interaction)
        drawn = frozenset(scribble.object_id for scribble in interaction.scribbles)
        windows = {box.object_id: box.corners for box in part.interaction.boxes}
        self._limits = RoundLimits(objects, frame, drawn, windows)
        released = self._release(part.interaction, interaction)
        made = False
        try:
            for update in self._run(interaction):
                if self._keeps(update.frame):
                    continue
                made = True
                yield update
        finally:
            if not made and released:
                self._constraints.give(frame, *released)
                self._locked_changed(frame)
            self._zone, self._done, self._limits = range(len(self.frames)), frozenset(), RoundLimits()

    def _restore_part(self, past: PastRound) -> None:
        frame = past.interaction.frame
        interaction = self._as_drawn(past.interaction)
        self._release(past.interaction, interaction)
        self._restore(replace(past, interactions=(interaction,)))
        self._standing.add(past.labels)
        if frame in past.labels:
            drawn = frozenset(scribble.object_id for scribble in interaction.scribbles)
            self._measure(drawn, np.bincount(past.labels[frame].ravel(), minlength=self._num_objects + 1))

    def _as_drawn(self, interaction: Interaction) -> Interaction:
        """Return the interaction with scribbles only, and with Python's int for ids and indices.

        Arithmetic with an index of type uint8 would overflow at 256. Without any prompt, scribbles are drawn through
        the objects of the frame's mask.
        """
        frame = int(interaction.frame)
        if interaction.clicks or interaction.boxes:
            interaction = as_scribbles(interaction, self._mask(frame))
        scribbles = interaction.scribbles
        if not scribbles:
            scribbles = strokes_of(self._mask(frame), self._started_from(frame))
        plain = (Scribble(int(each.object_id), np.asarray(each.path, np.float64)) for each in scribbles)
        return Interaction(frame, tuple(plain))

    def _started_from(self, frame: int) -> frozenset[int]:
        """Return the objects from whose masks a round without prompts starts: those given in its frame, else all."""
        shown = shown_ids(self._mask(frame)) - {0}
        return (shown & self._constraints.given_ids(frame)) or shown

    def _release(self, drawn: Interaction, plain: Interaction) -> tuple[LabelMap, frozenset[int]] | None:
        """Release the given objects that an interaction concerns, and return their pixels and ids, or None."""
        if not (drawn.scribbles or drawn.clicks or drawn.boxes):
            return None
        released = self._constraints.released_by(plain)
        if released is not None:
            self._locked_changed(plain.frame)
        return released

    def _lock_whole(self, frame: int, labels: LabelMap) -> None:
        self.locked[frame] = labels
        self.locked_ids[frame] = shown_ids(labels)
        self._locked_changed(frame)

    def _unlock_whole(self, frame: int) -> None:
        if frame in self.locked:
            del self.locked[frame], self.locked_ids[frame]
            self._locked_changed(frame)

    def _take(self, labels: Mapping[int, LabelMap]) -> None:
        self._standing.add(labels)
        self._adopt(labels)

    def _fix(self, frame: int, labels: LabelMap, ids: frozenset[int]) -> None:
        self._constraints.give(frame, labels, ids)
        self._measure(ids, np.bincount(labels.ravel(), minlength=self._num_objects + 1))
        self._on_given(frame, ids)

    def _measure(self, ids: frozenset[int], counts: NDArray[np.intp]) -> None:
        """Remember how large objects are where a person drew them or gave their masks."""
        self._areas.update({number: int(counts[number]) for number in ids if number and counts[number]})

    def _lost(self, update: MaskUpdate, counts: NDArray[np.intp]) -> tuple[int, ...]:
        """Return the objects that have no mask or almost none in a frame, though they are known and not absent."""
        sure = self._constraints.fixed_ids(update.frame) | self._constraints.absent_ids(update.frame)
        small = {number for number, area in self._areas.items() if counts[number] < LOST * area}
        return tuple(sorted((small | set(update.lost)) - sure))

    # --- checks ---------------------------------------------------------------------------------------------------

    def check(self, interaction: Interaction) -> None:
        """Raise ValueError for an interaction that this session cannot use. The message names the field."""
        checks.check_frame("interaction.frame", interaction.frame, len(self.frames))
        checks.check_prompts(interaction, self._num_objects)
        prompts = interaction.scribbles or interaction.clicks or interaction.boxes
        if not prompts and not self._started_from(int(interaction.frame)):
            raise ValueError("interaction.scribbles: empty, draw at least one scribble")

    def _checked(
        self,
        interactions: Interaction | Sequence[Interaction],
        span: tuple[int, int] | None,
        direction: str,
        objects: Iterable[int] | None,
    ) -> tuple[list[Interaction], range, frozenset[int] | None]:
        drawn = [interactions] if isinstance(interactions, Interaction) else list(interactions)
        if not drawn:
            raise ValueError("interactions: empty, draw on at least one frame")
        for interaction in drawn:
            self.check(interaction)
        if direction not in DIRECTIONS:
            raise ValueError(f"direction: expected one of {', '.join(DIRECTIONS)}, got {direction!r}")
        frames = checks.checked_span(span, len(self.frames))
        for interaction in drawn:
            if interaction.frame not in frames:
                raise ValueError(f"span: {frames.start}..{frames.stop - 1} is without frame {interaction.frame}")
        if len({interaction.frame for interaction in drawn}) < len(drawn):
            raise ValueError("interactions: two are of the same frame; join their scribbles")
        ids = None if objects is None else checks.checked_ids("objects", objects, self._num_objects)
        return drawn, frames, ids

    def _set_absent(self, object_id: int, first: int, last: int, absent: bool) -> None:
        (number,) = checks.checked_ids("object_id", [object_id], self._num_objects)
        frames = checks.checked_span((first, last), len(self.frames))
        self._constraints.set_absent(number, frames.start, frames.stop - 1, absent)

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


class _PreviewMade(Exception):
    """The mask of a preview. It ends the engine's round before the mask is stored, so the round leaves no trace."""

    def __init__(self, update: MaskUpdate) -> None:
        super().__init__(f"preview of frame {update.frame}")
        self.update = update


def _never() -> bool:
    return False


def outward(start: int, frames: range) -> Iterator[int]:
    """Yield consecutive frames by their distance from `start`, one of them; of two at the same distance, the later one
    first.
    """
    yield start
    for distance in range(1, len(frames)):
        if start + distance in frames:
            yield start + distance
        if start - distance in frames:
            yield start - distance
