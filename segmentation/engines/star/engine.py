"""STAR as an engine: rounds of classical vision, and in every frame a network that puts right what they find.

Its state is that of those rounds, strokes and masks: a rebuilt session is a kept one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from segmentation.classical.engine import ClassicalEngine
from segmentation.classical.interacted_frame import ObjectEvidence, RefineInteracted
from segmentation.classical.motion import Motion
from segmentation.classical.propagator import RefinePropagated
from segmentation.cutter.openvino import compile_refinement_net
from segmentation.cutter.refinement import RefinementNet, refine_interacted, refine_propagated
from segmentation.engines.star.memory import MemoryFrame, decode, encode_memory
from segmentation.engines.star.network import STRIDE, Cues, Frame, Star, aggregate
from segmentation.engines.star.openvino import compile_star
from segmentation.runtime.caches import DigestCache
from segmentation.runtime.device import choose_device
from segmentation.runtime.feature_cache import FeatureCache
from segmentation.runtime.folding import for_inference
from segmentation.runtime.shared_networks import shared_network
from segmentation.scribbles import dilate, rasterise
from segmentation.types import FloatMap, LabelMap

# The networks' shares in what counts: the refiner's, which reads annotated frames, and the cutter's, to which any
# object is known.
# Held-out videos, 18 rollouts of three rounds, mean J&F: 0.761 so, 0.759 with 0.2 and 0.2, 0.762 with 0.2 and 0.4; with
# the cutter's weights of the run before 0.762 with 0.2 and 0.2, 0.759 with 0.2 and 0.3, 0.733 with 0.2 and 0.5.
REREAD, MENDED = 0.2, 0.3
MEMORY_FRAMES = 6  # annotated and accepted frames that are read for a frame: the nearest in time
KEPT = 16  # frames whose memory is kept from round to round
PARTS = Frame._fields


class StarEngine(ClassicalEngine):
    """A session of STAR.

    Options:
        network, cutter: networks that are already loaded (training validates those it trains); without both, the
            weights found; without `cutter` alone, GrabCut draws alone.
        openvino: whether OpenVINO computes them on a CPU, where it is installed, if they are not already loaded.
    """

    name = "star"

    def _setup(self, network: Star | None = None, cutter: RefinementNet | None = None, openvino: bool = True) -> None:
        super()._setup()
        self._device = choose_device(self.settings.device)
        weights, how = self.settings.weights, (self._device, torch.float32)
        self._cutter: RefinementNet | None
        if network is None:
            star, star_cut = (compile_star, compile_refinement_net) if openvino else (for_inference, for_inference)
            self._network = shared_network(Star, "star", weights, *how, star)
            beside = None if weights is not None and Path(weights).is_file() else weights  # a file is of one network
            self._cutter = shared_network(RefinementNet, "star-cut", beside, *how, star_cut)
        else:
            self._network = for_inference(network, *how)
            self._cutter = None if cutter is None else for_inference(cutter, *how)
        height, width = (-(-side // STRIDE) * STRIDE for side in self._scaled_frames.sizes.grid)
        self._size = (height, width)  # the grid, stretched by less than a cell
        self._encoded = FeatureCache(self.settings.memory_bytes, self.settings.cache_dir)
        self._remembered: DigestCache[int, MemoryFrame] = DigestCache(KEPT)
        self._current: dict[int, MemoryFrame] = {}  # of this round
        self._remembering = Lock()

    @property
    def nbytes(self) -> int:
        return super().nbytes + self.settings.memory_bytes

    def close(self) -> None:
        super().close()
        self._encoded.close()

    # --- the frame that was drawn on --------------------------------------------------------------------------------

    def _interacted_refiner(self) -> RefineInteracted | None:
        return None if self._cutter is None else self._refine_interacted

    @torch.inference_mode()
    def _refine_interacted(self, frame: int, evidence: ObjectEvidence) -> FloatMap:
        """An object in the frame that was drawn on, on the grid."""
        assert self._cutter is not None
        return refine_interacted(self._cutter, self._scaled_frames[frame], evidence)

    # --- rounds ---------------------------------------------------------------------------------------------------

    def _prepare(self, frame: int) -> None:
        self._encode(frame)

    @contextmanager
    def _halved(self) -> Iterator[None]:
        # PyTorch counts for each thread; one that computes for the first time takes the number that was set last.
        threads = torch.get_num_threads()
        torch.set_num_threads(max(1, threads // 2))
        try:
            yield
        finally:
            torch.set_num_threads(threads)

    def _propagated_refiner(self) -> RefinePropagated:
        self._current.clear()
        return self._refine

    def _refine(self, frame: int, motion: Motion, maps: dict[int, FloatMap]) -> dict[int, FloatMap]:
        """The objects of `maps` in `frame`, on the grid: part what was found, part what the networks make of it."""
        if self._cutter is None:
            return _mixed(maps, [(REREAD, self._reread(frame, maps))])
        cut, again = self._helper.run_both(
            lambda: self._refine_propagated(frame, motion, maps), lambda: self._reread(frame, maps)
        )
        return _mixed(maps, [(REREAD, again), (MENDED, cut)])

    @torch.inference_mode()
    def _refine_propagated(self, frame: int, motion: Motion, maps: dict[int, FloatMap]) -> dict[int, FloatMap]:
        """What the cutter makes of the objects in `frame`."""
        assert self._cutter is not None
        return refine_propagated(self._cutter, self._scaled_frames[frame], motion, maps)

    @torch.inference_mode()
    def _reread(self, frame: int, maps: dict[int, FloatMap]) -> dict[int, FloatMap]:
        """What the refiner makes of the objects in `frame`, by the frames it remembers."""
        memory = [self._remember(f) for f in self._nearest(frame)]
        if not memory:
            return maps
        masks = self._standing(frame)
        for object_id, probability in maps.items():
            masks[object_id - 1] = self._resized(probability)
        nothing = torch.zeros_like(masks)
        cues = Cues(masks, _others(masks), torch.ones_like(masks), nothing, nothing)
        found = self._decode(frame, memory, cues, sorted(maps))
        return {o: self._to_grid(found[row]) for row, o in enumerate(sorted(maps))}

    def _decode(self, frame: int, memory: list[MemoryFrame], cues: Cues, objects: list[int]) -> Tensor:
        """Probabilities [len(objects), H, W] of some of the objects."""
        rows = torch.tensor([object_id - 1 for object_id in objects], device=self._device)
        own = Cues(*(part[rows] for part in cues))
        read = [slot.of(rows) for slot in memory]
        logits = decode(self._network, self._encode(frame), read, own, torch.zeros_like(rows))
        full = F.interpolate(logits[:, None], scale_factor=2, mode="bilinear", align_corners=False)[:, 0]
        return torch.softmax(aggregate(full), dim=0)[1:]

    # --- memory ---------------------------------------------------------------------------------------------------

    def _nearest(self, frame: int) -> list[int]:
        """The annotated and accepted frames that are remembered for `frame`, which is not one of them itself."""
        known = {f for frames in self._history.annotated.values() for f in frames if f in self._history}
        return sorted((known | set(self.locked)) - {frame}, key=lambda f: (abs(f - frame), f))[:MEMORY_FRAMES]

    def _remember(self, frame: int) -> MemoryFrame:
        """An annotated or accepted frame as memory: of one round the same, whatever becomes of its masks meanwhile."""
        with self._remembering:
            if frame not in self._current:
                self._current[frame] = self._memory_of(frame)
            return self._current[frame]

    def _memory_of(self, frame: int) -> MemoryFrame:
        masks = self._standing(frame)
        own, others = self._drawn(frame)
        digest = hashlib.blake2b()
        for part in (masks, own, others):
            digest.update(part.cpu().numpy().tobytes())

        def made() -> MemoryFrame:
            cues = Cues(masks, _others(masks), torch.ones_like(masks), own, others)
            clip = torch.zeros(self.num_objects, dtype=torch.long, device=self._device)  # one frame for all
            return encode_memory(self._network, self._encode(frame), cues, clip)

        return self._remembered.get(frame, digest.digest(), made)

    def _standing(self, frame: int) -> Tensor:
        """The masks that stand in `frame`: the accepted one, else the newest, else none: [n, H, W]."""
        labels = self.locked[frame] if frame in self.locked else self._history.mask(frame)
        if labels is None:
            return torch.zeros(self.num_objects, *self._size, device=self._device)
        return self._one_hot(labels)

    def _one_hot(self, labels: LabelMap) -> Tensor:
        masks = [self._resized((labels == number).astype(np.float32)) for number in range(1, self.num_objects + 1)]
        return torch.stack(masks)

    def _drawn(self, frame: int) -> tuple[Tensor, Tensor]:
        """Own and other scribbles of every object on a frame: each [n, H, W]."""
        raster = dilate(rasterise(self._history.scribbles.get(frame, []), *self._size), 1)
        drawn = torch.from_numpy(raster.astype(np.int64)).to(self._device)
        numbers = torch.arange(1, self.num_objects + 1, device=self._device)[:, None, None]
        own = drawn == numbers
        return own.float(), ((drawn >= 0) & ~own).float()

    @torch.inference_mode()
    def _encode(self, frame: int) -> Frame:
        kept = [self._encoded.get(f"{part}-{frame}", self._device) for part in PARTS]
        if all(part is not None for part in kept):
            return Frame(*(part.float() for part in kept if part is not None))
        scaled = self._scaled_frames[frame]
        grid = cv2.resize(scaled.grid, self._size[::-1], interpolation=cv2.INTER_LINEAR)
        image = torch.tensor(grid, device=self._device).permute(2, 0, 1)[None].float() / 255
        pixel_features = torch.tensor(scaled.pixel_features, device=self._device).permute(2, 0, 1)[None]
        encoded = self._network.encoder(image.contiguous(memory_format=torch.channels_last), pixel_features)
        # Kept at half precision; the first use goes through it too, so that every use sees the same numbers.
        halves = Frame(*(part.half() for part in encoded))
        for name, part in zip(PARTS, halves, strict=True):
            self._encoded.put(f"{name}-{frame}", part)
        return Frame(*(part.float() for part in halves))

    # --- sizes ----------------------------------------------------------------------------------------------------

    def _resized(self, values: FloatMap) -> Tensor:
        """A map of any size at the network's."""
        smaller = values.shape[0] > self._size[0]
        how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        return torch.from_numpy(cv2.resize(values, self._size[::-1], interpolation=how)).to(self._device)

    def _to_grid(self, values: Tensor) -> FloatMap:
        height, width = self._scaled_frames.sizes.grid
        return cv2.resize(values.cpu().numpy(), (width, height), interpolation=cv2.INTER_LINEAR).view(np.ndarray)


def _mixed(maps: dict[int, FloatMap], others: Sequence[tuple[float, dict[int, FloatMap]]]) -> dict[int, FloatMap]:
    """Means of maps and of others, each with its share, by object; the maps themselves have the rest."""
    rest = 1 - sum(share for share, _ in others)
    return {o: rest * own + sum(share * found[o] for share, found in others) for o, own in maps.items()}


def _others(masks: Tensor) -> Tensor:
    return (masks.sum(dim=0, keepdim=True) - masks).clamp(0, 1)
