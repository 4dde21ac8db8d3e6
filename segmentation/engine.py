"""The base class of all engines. An instance has one video open, and each round is a generator of masks."""

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
    """A session: an engine that has one video open.

    Subclasses implement `_setup`, `_run` and `_restore`, and `_adopt` if they remember masks. This class checks
    arguments, divides a round into parts that are drawn on one frame each, and keeps what people decided: locked
    frames, given pixels, absent and frozen objects. Subclasses pass every mask through `_settled` before storing it.

    Args:
        frames: the frames of the video, all of one size; each is read when it is needed.
        num_objects: how many objects the video has so far, 1..254. It can be raised by assigning `num_objects`.
        settings: how the engine may use the machine.
        options: the engine's own options, which its CARD.md lists. Unknown names raise ValueError.
    """

    name: str

    def __init__(
        self, frames: FrameSource, num_objects: int, settings: EngineSettings | None = None, **options: Any
    ) -> None:
        checks.check_opening(frames, settings)
        self.frames = frames
        self.settings = settings or EngineSettings()
        # An engine calls this function between long steps that yield no mask. If it returns True, the round ends as if
        # its generator had been closed.
        self.stopping: Callable[[], bool] = _never
        self.masks = SessionMasks(frames.height, frames.width)
        self.locked, self.locked_ids = self.masks.locked, self.masks.locked_ids
        self._zone = range(len(frames))  # the frames that the current part of the round may compute
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
        # A locked mask may show an object that is added only now.
        for frame, ids in list(self.locked_ids.items()):
            if any(before < object_id <= value for object_id in ids):
                self._locked_changed(frame)

    @property
    def nbytes(self) -> int:
        """The bytes that the session holds now, or an upper bound, which by default is `settings.memory_bytes`."""
        return self.settings.memory_bytes

    # --- what people decide ---------------------------------------------------------------------------------------

    def lock(self, frame: int, labels: LabelMap, object_ids: Iterable[int] | None = None) -> None:
        """Fix the mask of an accepted frame. No later round changes it, and the engine uses it as ground truth.

        A mask that is fixed whole may contain ids of objects that are added later. Until then these ids are ignored.

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

        Other objects lose the pixels that are now given. No later round changes the given pixels, and the engine
        remembers them like an accepted mask. A scribble, click or box for one of these objects in this frame, or a
        scribble or click on its pixels, releases it: rounds may change it again. Those that were drawn before do not;
        they have the object in their field `keeps`.

        Args:
            labels: uint8 [H, W] at the size of the video; only pixels of the objects `object_ids` count.
            object_ids: objects 1..`num_objects`. One without a pixel in `labels` is given as not visible in this frame.

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
        """Let rounds change the objects that were given in a frame. Until a round does, the frame keeps its mask."""
        self.masks.constraints.release(frame, self.masks.constraints.given_ids(frame))
        self._locked_changed(frame)

    def absent(self, object_id: int, first: int, last: int) -> None:
        """Mark an object as not visible in frames `first` to `last`, both included: no round gives it a pixel there.

        Locked and given pixels in the span stay, because a person made them.

        Raises:
            ValueError: the object is unknown, or the span is not within the video.
        """
        self.masks.set_absent(object_id, (first, last), True, (len(self.frames), self._num_objects))

    def present(self, object_id: int, first: int, last: int) -> None:
        """Undo `absent` for frames `first` to `last`, both included. Raises ValueError as `absent` does."""
        self.masks.set_absent(object_id, (first, last), False, (len(self.frames), self._num_objects))

    def freeze(self, object_ids: Iterable[int]) -> None:
        """Set the objects that no round may change in any frame, in place of those of an earlier call.

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

        The round yields at most one mask for each frame, and none for a locked frame. A frame without a new mask keeps
        its earlier mask. `confidence` of an update has one entry for each of the session's objects.

        A round is cancelled when its generator is closed early or `stopping` returns True. The masks that it yielded
        stay, and the session stays usable, with the state of a session that was restored from this partial round. A
        subclass must therefore add a mask to its state before it yields the mask.

        Args:
            interactions: what was drawn, one interaction for each drawn frame. An interaction without scribbles, clicks
                and boxes propagates the mask that its frame already has, which must show an object.
            span: the first and the last frame that may get a mask; None: all frames.
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
        """Compute the mask that a round would give the drawn frame. The session's masks and state do not change.

        Raises:
            ValueError: as for `run_round`.
        """
        (drawn,) = self.check_round([interaction]).interactions
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
        """Compute and cache features of frames before a round needs them; yield the index of each finished frame.

        It ends early when `stopping` returns True; the last frame may then lack some features. Raises ValueError if a
        frame is outside of the video.
        """
        for frame in frames:
            checks.check_frame("frames", frame, len(self.frames))
            if self.stopping():
                return
            with one_blas_thread():
                self._prepare_frame(int(frame))
            yield int(frame)

    def restore(self, rounds: Sequence[PastRound]) -> None:
        """Bring the session to its state after the stored `rounds`, oldest first. Rounds without masks are ignored."""
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
        """Load the engine's networks. Subclasses declare the options of the engine as keyword arguments here."""

    @abstractmethod
    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        """Yield the masks of the frames that this part of a round may change (`_zone`), that of the drawn frame first.

        `interaction` has scribbles only; clicks and boxes have been converted. Frames whose masks must stay as they are
        (`masks.keeps`) get none. `_settled` puts pixels that must not change back into each mask, before the engine
        stores it. A round that ends before its first mask leaves the state unchanged.
        """

    @abstractmethod
    def _restore(self, past: PastRound) -> None:
        """Bring the engine to its state after a stored round that was drawn on one frame."""

    def _adopt(self, labels: Mapping[int, LabelMap]) -> None:  # noqa: B027 (an engine without a memory of masks)
        """Use masks that no round made (painted, edited, imported). Engines with a memory of masks override this."""

    def _on_given(self, frame: int, ids: frozenset[int]) -> None:
        """Update the engine after the pixels of objects were given in a frame. It has the frame's mask already."""
        self._locked_changed(frame)

    def _locked_changed(self, frame: int) -> None:  # noqa: B027 (a hook)
        """Update the engine after pixels were fixed or released. Engines with a memory of masks override this."""

    def _prepare_frame(self, frame: int) -> None:  # noqa: B027 (an engine without features)
        """Compute and cache those features of a frame that do not depend on what a person draws."""

    def _another(self) -> Engine:
        """Open another session of this engine on the same video, without rounds. Both share the function `stopping`."""
        other = type(self)(self.frames, self._num_objects, self.settings, **self._setup_options)
        other.stopping = self.stopping
        return other

    def _settled_state(self, update: MaskUpdate, changed: bool) -> bytes | None:
        """Return the engine state to store with a mask after people's decisions were applied to it.

        `changed` says whether they changed it: then the state is None, and the engine continues from the mask itself.
        """
        return None if changed else update.engine_state

    def _settled(self, update: MaskUpdate) -> MaskUpdate:
        """Apply people's decisions (fixed, absent, frozen objects) to a mask, and keep it as the newest of its frame.

        Subclasses store and yield what this returns. Fixed and absent objects get confidence 1, lost ones at most 0.5.
        In a preview the mask is not kept: PreviewMade is raised with it.
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
        """Yield the frames of `_zone` by their distance from `start`, beginning with `start` itself."""
        return outward(start, self._zone)

    # --- parts of rounds ------------------------------------------------------------------------------------------

    def _run_part(self, part: RoundPart, limits: RoundLimits) -> Generator[MaskUpdate]:
        """Run a part of a round with the `limits` of the round, to which its frame, objects and boxes are added."""
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
        """Release the given objects that an interaction draws on, so that the round may change them.

        `plain` is `drawn` converted to scribbles. Returns the frame's given pixels and the released ids, or None.
        """
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
        """Check the arguments of a call of `run_round` without running the round, and return them as a request.

        Args:
            num_objects: how many objects the session will have when the round runs; None: as many as it has now.

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
