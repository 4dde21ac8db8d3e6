"""The engine of MA-Net: it computes and caches an embedding of each frame, on which rounds run two small networks.

An embedding is a vector per pixel at 1/4 of the size to which frames are resized for the network; pixels of the same
object have similar vectors. The small networks are called heads: the interaction head segments the frame that was drawn
on, the propagation head all others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from segmentation.engine import Engine
from segmentation.engines.manet.memory import GlobalMemory, LocalMemory, MemoryOptions, labelled_cells
from segmentation.engines.manet.network import MANet, for_inference
from segmentation.engines.manet.openvino import compile_manet
from segmentation.engines.manet.rounds import ManetRound
from segmentation.networks.labelling import confidences, upsampled_argmax
from segmentation.networks.matching import References
from segmentation.runtime.device import choose_device, choose_precision
from segmentation.runtime.feature_cache import FeatureCache
from segmentation.runtime.internal_size import internal_size, resized_frame
from segmentation.runtime.shared_networks import fastest_network
from segmentation.scribbles import NO_SCRIBBLE, rasterise
from segmentation.session.round_labels import RoundLabels, to_cells
from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound

GIVEN_CELLS = 1024  # The largest number of pixels of an object in an accepted frame with which others are compared.
GIVEN_KEPT = 8  # Number of accepted frames whose pixels are cached. A step needs the nearest frame on each side.
GPU_BATCH = 8  # Number of frames that are embedded together on CUDA.


@dataclass(eq=False)
class _Side:
    """The state of a propagation in one direction: the frame that it has reached, and its mask, int [h, w].

    The mask has the size of an embedding, 1/4 of the size to which frames are resized for the network.
    """

    frame: int
    labels: Tensor


class MANetEngine(Engine):
    """A session of MA-Net: the engine with one video open.

    Options:
        window, memory_rounds: k (the radius of the window of a local map) and R (the number of rounds whose local maps
            are kept) of the paper.
        global_memory, local_memory, augmented_map: False switches a part off, as in the paper's ablations.
        scribbles_win: whether pixels under a scribble get its object id, whatever the network finds there.
        precision: "float32", "bfloat16", "float16"; "auto" is float16 on CUDA and float32
            on a CPU. With "auto" on a CPU, OpenVINO runs the small shipped weights if it is installed.
        network: a network to use instead of loading a checkpoint.
    """

    name = "manet"

    def _setup(
        self,
        window: int | None = None,
        memory_rounds: int = 2,
        global_memory: bool = True,
        local_memory: bool = True,
        augmented_map: bool = True,
        scribbles_win: bool = True,
        precision: str = "auto",
        network: MANet | None = None,
    ) -> None:
        self._device = choose_device(self.settings.device)
        self._dtype = choose_precision(precision, self._device)
        if network is None:
            how = self.settings.weights, self._device, precision, for_inference, compile_manet
            prepared = fastest_network(MANet, self.name, *how)
        else:
            prepared = for_inference(network, self._device, self._dtype)
        self._network, config = prepared, prepared.config
        self._options = MemoryOptions(
            window=check_at_least("window", 0, config.window if window is None else window),
            rounds=check_at_least("memory_rounds", 1, memory_rounds) if local_memory else 1,
            keep_global=global_memory,
            augment=augmented_map,
        )
        self._scribbles_win = scribbles_win
        fit = config.frame_size
        self._image_size = internal_size(self.frames.height, self.frames.width, fit, self.settings.max_side)
        self._size = (-(-self._image_size[0] // 4), -(-self._image_size[1] // 4))  # height and width of an embedding
        self._batch = (
            GPU_BATCH if self._device.type == "cuda" else 1
        )  # On a CPU, frames are embedded one at a time, so that the first mask comes as soon as possible.
        self._rounds: list[ManetRound] = []
        self._given: dict[int, References] = {}  # by frame, the last GIVEN_KEPT accepted or painted frames in use
        self._open_caches()

    def _open_caches(self) -> None:
        budget, folder = self.settings.memory_bytes, self.settings.cache_dir
        self._embeddings = FeatureCache(budget * 3 // 4, folder)
        self._global_cache = FeatureCache(budget // 8, folder)
        self._local_cache = FeatureCache(budget // 8)  # Kept in memory only: local maps are cheap to compute.
        self._global = GlobalMemory(self._embed, self._options, self._global_cache)
        self._local = LocalMemory(self._embed, self._options, self._local_cache)

    @property
    def nbytes(self) -> int:
        caches = (self._embeddings, self._global_cache, self._local_cache)
        return sum(cache.used for cache in caches) + sum(p.nbytes for p in self._network.parameters())

    def close(self) -> None:
        for cache in (self._embeddings, self._global_cache, self._local_cache):
            cache.close()

    # --- rounds ---------------------------------------------------------------------------------------------------

    def _restore(self, past: PastRound) -> None:
        self._rounds.append(self._new_round(past.interaction, RoundLabels(self._size, past.labels)))

    def _prepare_frame(self, frame: int) -> None:
        self._embed(frame)

    def _new_round(self, interaction: Interaction, labels: RoundLabels) -> ManetRound:
        raster = rasterise(interaction.scribbles, *self._size)
        drawn = frozenset(scribble.object_id for scribble in interaction.scribbles)
        scribbles = torch.from_numpy(raster.astype(np.int64)).to(self._device)
        return ManetRound(interaction.frame, scribbles, labels, drawn)

    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        self._rounds.append(self._new_round(interaction, RoundLabels(self._size)))
        try:
            yield from self._propagate(interaction)
        finally:
            if not self._rounds[-1].labels:
                self._rounds.pop()  # A round without masks has no effect on later rounds.

    def _propagate(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        round_, ids = self._rounds[-1], self._known_ids()
        sides: dict[bool, _Side] = {}
        # The two directions are independent, so they take turns. The paper runs them one after the other.
        for frame in self._outward(interaction.frame):
            if self.masks.keeps(frame):
                update, labels = None, self._cells(self.masks.kept(frame))
            else:
                update = self._first(interaction, ids) if frame == round_.frame else self._next(frame, sides, ids)
                labels = self._cells(update.labels)
                round_.labels[frame] = labels
            if frame == round_.frame:
                sides = {True: _Side(frame, labels), False: _Side(frame, labels)}
            else:
                sides[frame > round_.frame] = _Side(frame, labels)
            if update is not None:
                yield update

    @torch.inference_mode()
    def _first(self, interaction: Interaction, ids: Sequence[int]) -> MaskUpdate:
        """Use the interaction head to segment the frame that was drawn on."""
        frame = interaction.frame
        scribbles = self._rounds[-1].scribbles
        logits = self._network.interact(self._embed(frame).to(self._dtype), scribbles, self._mask_before(frame), ids)
        update = self._to_update(frame, logits, ids)
        if self._scribbles_win:
            raster = rasterise(interaction.scribbles, self.frames.height, self.frames.width)
            update.labels[raster >= 0] = raster[raster >= 0]
        update = self._settled(update)
        # The global memory of this frame is updated now, while its scribbles are the newest.
        self._global.read(frame, self._rounds, range(self.num_objects + 1))
        return update

    @torch.inference_mode()
    def _next(self, frame: int, sides: dict[bool, _Side], ids: Sequence[int]) -> MaskUpdate:
        """Segment a frame other than the one that was drawn on, by the propagation head.

        The head gets the embedding of the frame, the mask of the adjacent frame, and two maps of distances: to
        annotated pixels (the global map) and to the adjacent frame (the local map). Of `sides`, which are the
        propagations forward (True) and backward (False), the one is used in whose direction the frame lies.
        """
        side = sides[frame > self._rounds[-1].frame]
        everyone = range(self.num_objects + 1)
        near = self._local.read(frame, self._rounds, side.labels, everyone)
        far = self._with_given(frame, self._global.read(frame, self._rounds, everyone), everyone)
        chosen = torch.tensor(ids, device=self._device)
        embedding = self._embed(frame).to(self._dtype)
        logits = self._network.propagate(embedding, (far[chosen], near[chosen]), side.labels, ids)
        return self._settled(self._to_update(frame, logits, ids))

    def _with_given(self, frame: int, memory: Tensor, ids: Sequence[int]) -> Tensor:
        """Return the global maps `memory` [n, h, w] of a frame, with accepted and painted masks taken into account.

        A global map has for each object and cell the distance of the cell's embedding to the most similar annotated
        cell of the object. The cells of the last accepted or painted frame before `frame`, and of the first one after
        it, count as annotated too, so that values can only become smaller.
        """
        sure = self.masks.sure_frames()
        before = max((f for f in sure if f < frame), default=None)
        after = min((f for f in sure if f > frame), default=None)
        for given in (before, after):
            if given is None:
                continue
            if given not in self._given:
                labels = self._cells(self.masks.sure_labels(given))
                if given not in self.locked:
                    labels[labels == 0] = NO_SCRIBBLE  # What is beside painted objects is unknown.
                while len(self._given) >= GIVEN_KEPT:
                    del self._given[next(iter(self._given))]
                self._given[given] = References(*labelled_cells(self._embed(given), labels, GIVEN_CELLS))
            memory = torch.minimum(memory, self._given[given].distances(self._embed(frame), ids))
        return memory

    def _locked_changed(self, frame: int) -> None:
        self._given.pop(frame, None)

    def _known_ids(self) -> list[int]:
        """Return 0 and the ids of all objects that have scribbles or occur in an accepted or painted mask."""
        known = {0}.union(*(round_.ids for round_ in self._rounds), *self.masks.sure_frames().values())
        return sorted(id_ for id_ in known if id_ <= self.num_objects)

    def _mask_before(self, frame: int) -> Tensor | None:
        """Return the newest mask of `frame` before this round at the size of an embedding, [h, w]; None: no mask."""
        found = self.masks.standing.get(frame)
        return None if found is None else self._cells(found)

    # --- frames and masks -----------------------------------------------------------------------------------------

    @torch.inference_mode()
    def _embed(self, frame: int) -> Tensor:
        """Return the embedding of a frame, [C, h, w], in the network's precision, from the cache if it is there."""
        found = self._embeddings.get(f"embedding-{frame}", self._device)
        if found is not None:
            return found
        # A frame is always embedded in the same batch, because results on a GPU depend on the batch.
        first = frame - frame % self._batch
        group = range(first, min(first + self._batch, len(self.frames)))
        images = torch.cat([resized_frame(self.frames[t], self._image_size) for t in group])
        images = (
            self._network.to_images(images.to(self._device))
            .to(self._dtype)
            .contiguous(memory_format=torch.channels_last)
        )
        embeddings = [embedding.contiguous() for embedding in self._network.embed(images)]
        for t, embedding in zip(group, embeddings, strict=True):
            self._embeddings.put(f"embedding-{t}", embedding)
        return embeddings[frame - first]

    def _cells(self, labels: LabelMap) -> Tensor:
        return to_cells(labels, self._size).to(self._device)

    def _to_update(self, frame: int, logits: Tensor, ids: Sequence[int]) -> MaskUpdate:
        """Turn the logits [n, h, w] of n `ids` into a mask at the video's size and the confidence of each object."""
        logits = logits.float()
        labels = upsampled_argmax(logits, ids, (self.frames.height, self.frames.width))
        found = dict(zip(ids, confidences(torch.softmax(logits, dim=0)), strict=True))
        return MaskUpdate(frame, labels, tuple(found.get(o, 1.0) for o in range(1, self.num_objects + 1)))


def check_at_least(name: str, least: int, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name}: expected a whole number of at least {least}, got {value!r}")
    return value
