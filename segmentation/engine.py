"""The base class of all engines: a session of one method on one video, whose rounds are generators of masks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from segmentation.engine_settings import EngineSettings as EngineSettings
from segmentation.runtime.blas_threads import one_blas_thread, with_one_blas_thread
from segmentation.session import checks
from segmentation.session.constraints import RoundLimits, with_pixels
from segmentation.session.missing_objects import carried_objects, missing_objects
from segmentation.session.packed_labels import PackedLabels
from segmentation.session.prompts import has_prompts
from segmentation.session.round_parts import RoundPart, outward, stored_parts
from segmentation.session.round_request import RoundRequest
from segmentation.session.session_masks import PreviewMade, SessionMasks
from segmentation.types import FrameSource, Interaction, LabelMap, MaskUpdate, PastRound


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
        self, frames: FrameSource, num_objects: int, settings: EngineSettings | None = None, **options: Any
    ) -> None:
        if len(frames) < 1:
            raise ValueError("frames: the video has no frames")
        self.frames = frames
        self.settings = settings or EngineSettings()
        # An engine calls this between long steps that yield no mask. Where it returns True, the round ends as if its
        # generator had been closed.
        self.stopping: Callable[[], bool] = _never
        self.masks = SessionMasks(frames.height, frames.width)
        self.locked, self.locked_ids = self.masks.locked, self.masks.locked_ids
        self._zone = range(len(frames))  # the frames that the part of the round that runs may compute
        self._previews = False
        self._num_objects = 0
        self.num_objects = num_objects
        checks.check_options(self.name, self._setup, options)
        self._setup_options = options
        self._setup(**options)

    @property
    def num_objects(self) -> int:
        return self._num_objects

    @num_objects.setter
    def num_objects(self, value: int) -> None:
        before = self._num_objects
        self._num_objects = value = checks.checked_count(value, before)
        # A locked mask may contain the id of an object that is added only now. What the engine computed from that mask
        # lacks the object and must be computed again.
        for frame, ids in list(self.locked_ids.items()):
            if any(before < object_id <= value for object_id in ids):
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
        self._check_mask(frame, labels)
        frame = int(frame)
        if object_ids is not None:
            self.masks.constraints.lock(frame, labels, checks.checked_ids("object_ids", object_ids, self._num_objects))
            self._locked_changed(frame)
        else:
            self._lock_whole(frame, labels)

    def unlock(self, frame: int, object_ids: Iterable[int] | None = None) -> None:
        """Let rounds change a locked frame again, or some of its objects if these were locked one by one."""
        fixed = self.masks.constraints.locked_ids(frame)
        ids = fixed if object_ids is None else fixed & set(object_ids)
        if ids:
            self.masks.constraints.unlock(frame, ids)
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
        self._check_mask(frame, labels)
        ids = checks.checked_ids("object_ids", object_ids, self._num_objects)
        frame, given = int(frame), PackedLabels()
        given[frame] = with_pixels(self.masks.newest(frame), labels, ids)
        self._take(given)
        self._fix(frame, labels, ids)

    def release(self, frame: int) -> None:
        """Let rounds change everything that was given in a frame; its mask stays as the mask so far."""
        self.masks.constraints.release(frame, self.masks.constraints.given_ids(frame))
        self._locked_changed(frame)

    def absent(self, object_id: int, first: int, last: int) -> None:
        """Say that an object is not in the picture from frame `first` to `last`: no round gives it a pixel there.

        Locked and given pixels in the span stay, because a person made them.

        Raises:
            ValueError: the object is unknown, or the span is not within the video.
        """
        self.masks.set_absent(object_id, (first, last), True, (len(self.frames), self._num_objects))

    def present(self, object_id: int, first: int, last: int) -> None:
        """Take back `absent` for a span. Raises ValueError as above."""
        self.masks.set_absent(object_id, (first, last), False, (len(self.frames), self._num_objects))

    def freeze(self, object_ids: Iterable[int]) -> None:
        """Say which objects no round may change in any frame, in place of those that were named before.

        Raises:
            ValueError: an object is unknown.
        """
        self.masks.constraints.frozen = checks.checked_ids("object_ids", object_ids, self._num_objects)

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
        request = self.check_round(interactions, span, direction, objects)
        fills = carried_objects(missing_objects(request.interactions, self.masks.known), self._another)
        for part in request.parts():
            limits = RoundLimits(request.objects, fill=fills.get(part.interaction.frame))
            with closing(with_one_blas_thread(self._run_part(part, limits))) as updates:
                yield from updates

    def preview(self, interaction: Interaction) -> MaskUpdate:
        """Compute the mask that a round would give the drawn frame, and change nothing.

        Raises:
            ValueError: as for `run_round`.
        """
        (drawn,) = self.check_round(interaction).interactions
        frame = drawn.frame
        if frame in self.locked:
            return MaskUpdate(frame, self.locked[frame], (1.0,) * self._num_objects)
        alone = RoundPart(drawn, range(frame, frame + 1), frozenset())
        self._previews = True
        try:
            for update in with_one_blas_thread(self._run_part(alone, RoundLimits())):
                raise RuntimeError(f"{self.name} yielded frame {update.frame} without settling it")
        except PreviewMade as made:
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
            with one_blas_thread():
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

        Frames for which `masks.keeps` is true are left out. Each mask passes through `_settled` before it changes the
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

    def _another(self) -> Engine:
        """Open another session of this engine on the same video, without any round. It stops when this one does."""
        other = type(self)(self.frames, self._num_objects, self.settings, **self._setup_options)
        other.stopping = self.stopping
        return other

    def _settled_state(self, update: MaskUpdate, changed: bool) -> bytes | None:
        """Return the engine state of a mask that had to agree with what people decided.

        Where the mask was `changed`, it has none, and the engine continues from the mask itself.
        """
        return None if changed else update.engine_state

    def _settled(self, update: MaskUpdate) -> MaskUpdate:
        """Make a mask agree with what people decided, and remember it as the newest one of its frame.

        A subclass stores and yields what this returns. Objects that are fixed or absent in the frame get confidence 1.
        """
        settled = self.masks.settled(update)
        changed = settled.labels is not update.labels
        if changed or settled.confidence != update.confidence:
            settled = replace(settled, engine_state=self._settled_state(settled, changed))
        if self._previews:
            raise PreviewMade(settled)
        self.masks.store(settled)
        return settled

    def _outward(self, start: int) -> Iterator[int]:
        """Yield the frames of the zone by their distance from `start`, which comes first."""
        return outward(start, self._zone)

    # --- parts of rounds ------------------------------------------------------------------------------------------

    def _run_part(self, part: RoundPart, limits: RoundLimits) -> Generator[MaskUpdate]:
        """Run a part of a round. `limits` lacks what the part itself says."""
        if all(frame in self.locked or frame in part.done for frame in part.zone):
            return
        frame = part.interaction.frame
        interaction = self.masks.as_drawn(part.interaction)
        drawn = frozenset(scribble.object_id for scribble in interaction.scribbles)
        windows = {box.object_id: box.corners for box in part.interaction.boxes}
        self._zone, self.masks.done = part.zone, part.done
        self.masks.limits = replace(limits, frame=frame, drawn=drawn, windows=windows)
        released = self._release(part.interaction, interaction)
        made = False
        try:
            for update in self._run(interaction):
                if self.masks.keeps(update.frame):
                    continue
                made = True
                yield update
        finally:
            if not made and released:
                self.masks.constraints.give(frame, *released)
                self._locked_changed(frame)
            self._zone, self.masks.done, self.masks.limits = range(len(self.frames)), frozenset(), RoundLimits()

    def _restore_part(self, past: PastRound) -> None:
        interaction = self.masks.as_drawn(past.interaction)
        self._release(past.interaction, interaction)
        self._restore(replace(past, interactions=(interaction,)))
        self.masks.restore(interaction, past.labels)

    def _release(self, drawn: Interaction, plain: Interaction) -> tuple[LabelMap, frozenset[int]] | None:
        """Release the given objects that an interaction concerns, and return their pixels and ids, or None."""
        released = self.masks.constraints.released_by(plain) if has_prompts(drawn) else None
        if released is not None:
            self._locked_changed(plain.frame)
        return released

    def _lock_whole(self, frame: int, labels: LabelMap) -> None:
        self.masks.lock(frame, labels)
        self._locked_changed(frame)

    def _unlock_whole(self, frame: int) -> None:
        if frame in self.locked:
            self.masks.unlock(frame)
            self._locked_changed(frame)

    def _take(self, labels: Mapping[int, LabelMap]) -> None:
        self.masks.standing.add(labels)
        self._adopt(labels)

    def _fix(self, frame: int, labels: LabelMap, ids: frozenset[int]) -> None:
        self.masks.constraints.give(frame, labels, ids)
        self.masks.measure(ids, labels)
        self._on_given(frame, ids)

    # --- checks ---------------------------------------------------------------------------------------------------

    def check_round(
        self,
        interactions: Interaction | Sequence[Interaction],
        span: tuple[int, int] | None = None,
        direction: str = "both",
        objects: Iterable[int] | None = None,
        num_objects: int | None = None,
    ) -> RoundRequest:
        """Check what `run_round` would be asked, with its arguments, and return it.

        Args:
            num_objects: the number of objects that the session will have by then; None: those that it has.

        Raises:
            ValueError: an argument cannot be used; the message names it.
        """
        count = self._num_objects if num_objects is None else num_objects
        request = RoundRequest.checked(interactions, span, direction, objects, (len(self.frames), count))
        request.check_prompts(self.masks)
        return request

    def _check_mask(self, frame: int, labels: LabelMap) -> None:
        checks.check_frame("frame", frame, len(self.frames))
        checks.check_labels(labels, self.frames.height, self.frames.width)


def _never() -> bool:
    return False
