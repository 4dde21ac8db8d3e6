"""The engine of STAR: it segments the frame that was drawn on, then all other frames outward from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.engine import Engine
from segmentation.engines.star.agreement import RememberedFrame, agreed_cells
from segmentation.engines.star.ahead import StepsAhead
from segmentation.engines.star.confidence import drawn_evidence, propagated_evidence
from segmentation.engines.star.decoding import decode_masks
from segmentation.engines.star.drawing import FrameDrawing
from segmentation.engines.star.given import CellRows, Given, join_cells, sample_cells, with_given, with_rows
from segmentation.engines.star.labels import draw_labels
from segmentation.engines.star.lookalikes import with_look_alikes
from segmentation.engines.star.matching import Memory, Neighbour, Sums, compare, gather_cues
from segmentation.engines.star.network import Star, compete
from segmentation.engines.star.openvino import compile_star
from segmentation.engines.star.state import SessionState
from segmentation.engines.star.video import Video
from segmentation.runtime.blas_threads import one_blas_thread
from segmentation.runtime.device import choose_device
from segmentation.runtime.feature_cache import FeatureCache
from segmentation.runtime.folding import for_inference
from segmentation.runtime.shared_networks import shared_network
from segmentation.session.constraints import with_pixels
from segmentation.session.probability_maps import decode, encode, from_labels
from segmentation.trunk import load_trunk
from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound

MEMORY_FRAMES = 8  # Largest number of annotated and accepted frames in the memory of a round.
UNKNOWN = 0.5  # Confidence of an object that no round has searched for.
DIGITS = 3  # Confidences are rounded to this many digits, since further digits differ between processors.
FAR = 1000.0  # Stands for the distance in frames to another annotated frame if there is none.

# Some of the round's own newest masks ("answers") enter the memory as well, with half the weight of annotated frames,
# because objects turn and change their size: every fifth mask, and the last three of these.
ANSWER_EVERY, ANSWERS_KEPT, ANSWER_WEIGHT = 5, 3, 0.5


class StarEngine(Engine):
    """A session of STAR.

    Options:
        network: a network to use instead of one with the weights of the checkpoint.
        openvino: whether OpenVINO computes the networks on a CPU, if it is installed.
    """

    name = "star"

    def _setup(self, network: Star | None = None, openvino: bool = True) -> None:
        self._device = choose_device(self.settings.device)
        if network is None:
            prepare = compile_star if openvino else for_inference
            network = shared_network(Star, "star", self.settings.weights, self._device, torch.float32, prepare)
        else:
            network = for_inference(network, self._device, torch.float32)
        self._network = network
        self._cache = FeatureCache(self.settings.memory_bytes, self.settings.cache_dir)
        trunk = load_trunk(network.config.trunk, str(self._device), openvino)
        self._drawing = FrameDrawing(self.frames, self.settings, self._device, openvino)
        self._video = Video(self.frames, network, trunk, self._device, self._cache, self.settings.max_side)
        self._state = SessionState(self.masks.standing)
        height, width = self._video.size
        self._grid = (height // 4, width // 4)  # Size of the masks that are warped from frame to frame: stride 4.

    @property
    def nbytes(self) -> int:
        return self._cache.used + self._drawing.nbytes

    @property
    def network(self) -> Star:
        """The network of this session, prepared for inference."""
        return self._network

    def close(self) -> None:
        self._cache.close()

    def _restore(self, past: PastRound) -> None:
        self._state.restore(past)

    def _adopt(self, labels: Mapping[int, LabelMap]) -> None:
        self._state.forget(labels)

    def _prepare_frame(self, frame: int) -> None:
        self._video.encoded(frame)
        if frame + 1 < len(self.frames) and not self.stopping():
            self._video.flow(frame, frame + 1)

    def prepare(self, frames: Iterable[int]) -> Iterator[int]:
        """Compute features ahead as every engine does, and what a drawing on the first of `frames` needs.

        A drawing needs a frame and an adjacent one at other sizes. They are kept for a few frames only, so they are not
        computed for the others.
        """
        for count, frame in enumerate(super().prepare(frames)):
            if count == 0 and not self.stopping():
                with one_blas_thread():
                    self._drawing.prepare(frame)
            yield frame

    # --- rounds ---------------------------------------------------------------------------------------------------

    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        frame = interaction.frame
        accepted = self.masks.keeps(frame)
        labels = None if accepted else self._draw(interaction)
        undo = self._state.annotate(interaction, accepted)
        made = False
        try:
            if labels is not None:
                update = self._keep(MaskUpdate(frame, labels, self._drawn_confidence(frame, labels)))
                made = True
                yield update
            for update in self._propagate(frame):
                made = True
                yield update
        finally:
            if not made:
                undo()

    def _draw(self, interaction: Interaction) -> LabelMap:
        earlier = self._state.scribbles.get(interaction.frame, [])
        return self._drawing.labels(interaction, earlier, self._state.labels(interaction.frame))

    @torch.inference_mode()
    def _drawn_confidence(self, frame: int, labels: LabelMap) -> tuple[float, ...]:
        """Return the estimated J of each object in a frame that was drawn on; UNKNOWN for objects without scribbles."""
        objects = sorted(self._state.drawn)
        confidence = [UNKNOWN] * self.num_objects
        if objects:
            masks = torch.from_numpy(from_labels(labels, max(objects), *self._grid))[[n - 1 for n in objects]]
            shares = F.avg_pool2d(masks[None], 2)[0].to(self._device)
            drawn = [scribble.object_id for scribble in self._state.scribbles[frame]]
            times = torch.tensor([float(drawn.count(number)) for number in objects], device=self._device)
            evidence = drawn_evidence(self._video.embedding(frame), shares, times)
            self._fill(confidence, objects, self._network.drawn_confidence(evidence))
        return tuple(confidence)

    def _fill(self, confidence: list[float], objects: list[int], values: Tensor) -> None:
        for number, value in zip(objects, values.tolist(), strict=True):
            confidence[number - 1] = round(float(value), DIGITS)

    def _propagate(self, start: int) -> Iterator[MaskUpdate]:
        """Segment the frames outward from `start`, on both sides in turn.

        Accepted frames are left out, and frames whose annotation tells where all objects of the round are.
        """
        objects = self._known_objects()
        frames = self._memory_frames(start) if objects else []
        if not frames:
            yield from self._empty_masks(start)
            return
        given = {frame: self._given(frame, objects) for frame in frames}
        embeddings = {frame: self._video.embedding(frame) for frame in given}
        given = with_look_alikes(given, embeddings, self.masks.sure_frames(), self._network.sharpness.exp())
        remembered = {frame: self._remembered(frame, each) for frame, each in given.items()}
        cells = agreed_cells(remembered, self._network.sharpness.exp())
        memory = join_cells(cells)
        with StepsAhead(partial(self._look, memory), self._steps(start)) as ahead:
            sides = [
                _Side(self, start, direction, objects, given, cells, memory.last_cells(0), ahead).updates()
                for direction in (1, -1)
            ]
            while sides:
                for side in list(sides):
                    update = next(side, None)
                    if update is None:
                        sides.remove(side)
                    else:
                        yield update

    @torch.inference_mode()
    def _look(self, memory: Memory, frame: int, neighbour: int) -> Sums:
        """Compute what a step needs of a frame and does not depend on the masks of this round.

        Features and flow go into the cache. The frame's cells are compared with those of annotated frames, `memory`.
        """
        self._video.compute(frame, neighbour)
        cells = self._video.embedding(frame).flatten(1).T
        return compare(cells, memory, self._network.sharpness.exp())

    def _steps(self, start: int) -> Iterator[tuple[int, int]]:
        """Yield the frames of a round from `start` outward, each with the adjacent frame from which it is segmented."""
        for frame in self._outward(start):
            if frame != start and not self.masks.keeps(frame):
                yield frame, frame - 1 if frame > start else frame + 1

    def _empty_masks(self, start: int) -> Iterator[MaskUpdate]:
        """Yield an empty mask for each frame without a mask. This is used while no object has been drawn."""
        for frame in self._outward(start):
            if not self.masks.keeps(frame) and self._state.labels(frame) is None:
                labels = np.zeros((self.frames.height, self.frames.width), np.uint8)
                yield self._keep(MaskUpdate(frame, labels, (UNKNOWN,) * self.num_objects))

    def _keep(self, update: MaskUpdate) -> MaskUpdate:
        settled = self._settled(update)
        self._state.keep(settled)
        return settled

    # --- what is known before a frame is computed -----------------------------------------------------------------

    def _known_objects(self) -> list[int]:
        """Return the ids of the objects that have scribbles, or that an accepted or painted mask shows."""
        sure = {number for ids in self.masks.sure_frames().values() for number in ids if 0 < number <= self.num_objects}
        return sorted(self._state.drawn | sure)

    def _memory_frames(self, start: int) -> list[int]:
        """Choose the frames for the memory of a round that begins at `start`.

        They are first the newest annotated frames, then accepted and painted frames near `start`, then other annotated
        frames near it.
        """
        annotated = [frame for frame in self._state.annotated if frame not in self.locked]
        newest = annotated[::-1][: MEMORY_FRAMES // 2]
        sure = self.masks.sure_frames()
        others = sorted({*annotated, *sure}, key=lambda frame: (frame not in sure, abs(frame - start), frame))
        return list(dict.fromkeys([*newest, *others]))[:MEMORY_FRAMES]

    def _is_given(self, frame: int) -> bool:
        return frame in self._state.annotated or bool(self.masks.spoken_of(frame, self.num_objects))

    def _given(self, frame: int, objects: list[int]) -> Given:
        """Return the mask of an annotated, accepted or painted frame, and for which objects it tells where they are.

        `objects` are the ids of the objects of the round.
        """
        if frame in self.locked:
            labels, speaks_of = self.locked[frame], frozenset(objects)
        else:
            labels, fixed = self.masks.newest(frame), self.masks.constraints.fixed_labels(frame)
            speaks_of = self._state.annotated.get(frame, frozenset()) | self.masks.spoken_of(frame, self.num_objects)
            if fixed is not None:
                labels = with_pixels(labels, fixed, self.masks.spoken_of(frame, self.num_objects))
        masks = torch.from_numpy(from_labels(labels, max(objects), *self._grid))[[number - 1 for number in objects]]
        known = torch.tensor([float(number in speaks_of) for number in objects])
        return Given(labels, masks.to(self._device), known.to(self._device))

    def _remembered(self, frame: int, given: Given) -> RememberedFrame:
        sure = frame in self.masks.sure_frames()
        scribbles = None if sure else self._state.scribbles.get(frame)
        return RememberedFrame(self._video.embedding(frame), given.shares, given.known, scribbles)

    def _cells(self, frame: int, shares: Tensor, weights: Tensor) -> CellRows:
        return sample_cells(self._video.embedding(frame), shares, weights)

    def _earlier(self, frame: int, objects: list[int]) -> Tensor | None:
        """Return the probability maps of an earlier round in `frame`, [n, h, w] at stride 4; None if it has no mask."""
        engine_state = self._state.engine_state(frame)
        labels = self._state.labels(frame)
        if engine_state is not None:
            masks = decode(engine_state, *self._grid)
        elif labels is not None:
            masks = from_labels(labels, max(objects), *self._grid)
        else:
            return None
        rows = np.zeros((len(objects), *self._grid), np.float32)
        for row, number in enumerate(objects):
            if number <= len(masks):
                rows[row] = masks[number - 1]
        return torch.from_numpy(rows).to(self._device)


class _Side:
    """Propagates a round in one direction, forward (1) or backward (-1).

    Its masks depend only on the state at the start of the round and on its own masks, not on the other direction.
    """

    def __init__(
        self,
        session: StarEngine,
        start: int,
        direction: int,
        objects: list[int],
        given: dict[int, Given],
        cells: list[CellRows],
        memory: Memory,
        ahead: StepsAhead[Sums],
    ) -> None:
        self._session, self._start, self._direction, self._ahead = session, start, direction, ahead
        self._objects, self._given, self._cells = objects, given, cells
        self._answers: list[CellRows] = []
        self._memory = (
            memory  # the linear models of the round and the cells of the answers, of which there are none yet
        )
        shown = from_labels(session.masks.newest(start), max(objects), *session._grid)
        masks = torch.from_numpy(shown[[number - 1 for number in objects]]).to(session._device)
        # Masks of the frame before: of all objects, and if there are any, of their look-alikes.
        self._masks = with_rows(masks, len(next(iter(given.values())).masks))
        self._sure = torch.zeros(len(objects), device=session._device)  # confidence of the masks computed last

    def updates(self) -> Iterator[MaskUpdate]:
        session, before, steps = self._session, self._start, 0
        end = session._zone.stop if self._direction > 0 else session._zone.start - 1
        for frame in range(self._start + self._direction, end, self._direction):
            if session._is_given(before):
                # Propagation continues from the mask of the annotated, accepted or painted frame.
                given = self._given_of(before)
                self._masks = with_given(self._masks, given, len(self._objects))
            given_here = self._given_of(frame) if session._is_given(frame) else None
            if not session.masks.keeps(frame) and (
                given_here is None or not bool(given_here.known[: len(self._objects)].all())
            ):
                steps += 1
                update = self._step(frame, before, given_here)
                if steps % ANSWER_EVERY == 0:
                    self._remember_answer(frame)
                yield update
            before = frame

    def _given_of(self, frame: int) -> Given:
        found = self._given.get(frame)
        return self._session._given(frame, self._objects).with_rows(len(self._masks)) if found is None else found

    def _step(self, frame: int, before: int, given: Given | None) -> MaskUpdate:
        """Segment a frame from the adjacent frame `before`, and store and return its mask.

        `given` is the mask of the frame if people annotated or painted some of its objects; these keep their masks.
        """
        session, objects = self._session, self._objects
        probabilities = self._segment(frame, before)
        labels = draw_labels(probabilities, objects, session._video.picture(frame))
        # Only objects of which `given` does not tell where they are get new masks.
        if given is not None:
            spoken = [number for number, known in zip(objects, given.known, strict=False) if known > 0]
            labels[np.isin(labels, spoken)] = 0
            held = np.isin(given.labels, spoken)
            labels[held] = given.labels[held]
        everyone = np.zeros((session.num_objects, *session._grid), np.float32)
        everyone[[number - 1 for number in objects]] = self._masks[: len(objects)].cpu().numpy()
        confidence = [UNKNOWN] * session.num_objects
        session._fill(confidence, objects, self._sure)
        update = session._keep(MaskUpdate(frame, labels, tuple(confidence), encode(everyone)))
        if update.labels is not labels:  # Continue from the pixels that people accepted or painted.
            fixed = from_labels(update.labels, max(objects), *session._grid)[[number - 1 for number in objects]]
            shown = Given(update.labels, torch.from_numpy(fixed).to(self._masks), self._masks.new_ones(len(objects)))
            self._masks = with_given(self._masks, shown.with_rows(len(self._masks)), len(objects))
        return update

    @torch.inference_mode()
    def _segment(self, frame: int, before: int) -> Tensor:
        """Compute the probabilities of background and n objects in `frame`, [n + 1, h, w] at stride 2.

        `before` is the adjacent frame, whose masks are those in `self._masks`. Afterwards `self._masks` are those of
        `frame` at stride 4, and `self._sure` their confidences.
        """
        session, network, video = self._session, self._session._network, self._session._video
        compared = self._ahead.of(frame)
        encoded, flow = video.encoded(frame), video.flow(frame, before)
        embedding = video.embedding(before)
        others = [abs(frame - other) for other in self._given if other != self._start]
        cues = gather_cues(
            encoded.embedding[0],
            self._memory,
            Neighbour(embedding, self._masks, flow.back[0], flow.trust[0]),
            session._earlier(frame, self._objects),
            (float(abs(frame - self._start)), float(min(others, default=FAR))),
            (network.sharpness.exp(), network.near_sharpness.exp()),
            compared,
        )
        logits, expected = decode_masks(network.decoder, encoded, cues)
        probabilities = compete(logits)
        self._masks = F.avg_pool2d(probabilities[1:][None], 2)[0]
        count = len(self._objects)
        self._sure = network.confidence(propagated_evidence(cues, self._masks, expected))[:count]
        hidden = probabilities[1 + count :].sum(0, keepdim=True)  # Look-alikes are background.
        return torch.cat([probabilities[:1] + hidden, probabilities[1 : 1 + count]])

    def _remember_answer(self, frame: int) -> None:
        shares = F.avg_pool2d(self._masks[None], 2)[0]
        weights = torch.full((len(self._masks),), ANSWER_WEIGHT, device=shares.device)
        self._answers = [*self._answers, self._session._cells(frame, shares, weights)][-ANSWERS_KEPT:]
        own = sum(len(rows.cells) for rows in self._answers)
        self._memory = join_cells([*self._cells, *self._answers]).last_cells(own)
