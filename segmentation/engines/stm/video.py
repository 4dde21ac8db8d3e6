"""Runs an STM network on the frames of a video: resizes frames, caches their features, and resizes masks back."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from segmentation.engine import EngineSettings
from segmentation.engines.stm.network import STRIDE, Query, SpaceTimeMemory
from segmentation.engines.stm.openvino import compile_stm
from segmentation.networks.labelling import confidences, upsampled_argmax
from segmentation.networks.memory import MemorySlot
from segmentation.networks.padding import pad, padding_to, unpad
from segmentation.runtime.device import choose_device, choose_precision
from segmentation.runtime.feature_cache import FeatureCache
from segmentation.runtime.folding import for_inference
from segmentation.runtime.internal_size import internal_size, resized_frame
from segmentation.runtime.shared_networks import fastest_network
from segmentation.types import FrameSource, LabelMap

DECODED_AT_ONCE = {"cpu": 3, "cuda": 16}  # Objects per call, whose number bounds the memory of the decoder.
ENCODED_AT_ONCE = {"cpu": 1, "cuda": 8}  # Frames per call: a single frame keeps a CPU busy.
Shipped = tuple[type[SpaceTimeMemory], str]  # The class of a network, and the name of its checkpoint.
BLOCKS_AT_HAND = 2  # A round propagates forward and backward and needs a block of frames for each direction.


class STMVideo:
    """A video with the STM network that segments it.

    The features of frames (queries) are cached in half precision, in at most `cache_bytes`. The first use gets these
    rounded values too, so that a mask does not depend on the state of the cache.
    """

    def __init__(
        self,
        frames: FrameSource,
        network: SpaceTimeMemory | Shipped,
        settings: EngineSettings,
        cache_bytes: int,
        precision: str = "auto",
    ) -> None:
        """Open the video. `network` is a loaded network, or the class and checkpoint of a network for all sessions."""
        self.frames = frames
        self.device = choose_device(settings.device)
        self.dtype = choose_precision(precision, self.device)
        if isinstance(network, SpaceTimeMemory):
            self._network: SpaceTimeMemory = for_inference(network, self.device, self.dtype)
        else:
            shipped, name = network
            how = settings.weights, self.device, precision, for_inference, compile_stm
            self._network = fastest_network(shipped, name, *how)
        self.config = self._network.config
        short, long = sorted((frames.height, frames.width))
        fit = (
            min(short, self.config.frame_size[0]),
            min(long, self.config.frame_size[1]),
        )  # Small videos are not enlarged.
        self.size = internal_size(frames.height, frames.width, fit, settings.max_side)
        self.padding = padding_to(STRIDE, *self.size)
        self._queries = FeatureCache(cache_bytes, settings.cache_dir, first_stay=True)
        kind = "cuda" if self.device.type == "cuda" else "cpu"
        self._chunk, self._block = DECODED_AT_ONCE[kind], ENCODED_AT_ONCE[kind]
        self._at_hand: dict[
            int, dict[int, Tensor]
        ] = {}  # By block and frame, packed queries; only if blocks have several frames.

    @property
    def slot_bytes(self) -> int:
        """The bytes of a memory slot, which is a frame encoded for one object."""
        height, width = self._padded
        cells = (height // STRIDE) * (width // STRIDE)
        return cells * (self.config.keys + self.config.values) * torch.finfo(self.dtype).bits // 8

    def close(self) -> None:
        self._queries.close()
        self._at_hand.clear()

    @torch.inference_mode()
    def prepare(self, frame: int) -> None:
        """Compute the query (the features of a frame to segment) ahead, so that a later round need not wait for it."""
        self._query(frame)

    def memorize(self, frame: int, cues: Tensor) -> list[MemorySlot]:
        """Encode an annotated frame into a memory slot for each of N objects.

        `cues` [N, C, h, w] are the masks and scribbles of the objects at the internal size (`SpaceTimeMemory.cues`).
        """
        image, padded = self._image(frame), pad(cues.to(self.device, self.dtype), self.padding)
        parts = padded.split(self._chunk)
        return [slot for part in parts for slot in self._network.memorize(image, part)]

    def segment(self, frame: int, memories: Sequence[Sequence[MemorySlot]]) -> Tensor:
        """Segment a frame with the memories of N objects. Return their probability maps, float32 [N, h, w].

        The maps are computed separately, so that their sum may exceed 1.
        """
        query = self._query(frame)
        chunks = [memories[i : i + self._chunk] for i in range(0, len(memories), self._chunk)]
        logits = torch.cat([self._network.segment(chunk, query) for chunk in chunks])
        return unpad(torch.softmax(logits.float(), dim=1)[:, 1], self.padding)

    def labels(self, distribution: Tensor, ids: Sequence[int]) -> LabelMap:
        """Turn probabilities of background and the n objects `ids`, [1 + n, h, w], into a mask at the video's size."""
        return upsampled_argmax(distribution, [0, *ids], (self.frames.height, self.frames.width), align_corners=False)

    @property
    def _padded(self) -> tuple[int, int]:
        (height, width), padding = self.size, self.padding
        return height + padding.top + padding.bottom, width + padding.left + padding.right

    def _image(self, frame: int) -> Tensor:
        image = resized_frame(self.frames[frame], self.size).to(self.device) / 255
        return pad(image.to(self.dtype), self.padding).contiguous(memory_format=torch.channels_last)

    def _query(self, frame: int) -> Query:
        packed = self._queries.get(f"query-{frame}", self.device)
        if packed is None:
            packed = self._encoded(frame // self._block)[frame]
        return self._unpack(packed)

    def _encoded(self, block: int) -> dict[int, Tensor]:
        """Encode a block of frames together, and return by frame their queries, each packed into a single tensor.

        A frame always belongs to the same block. Results may depend on the batch in the last bit, and a rebuilt session
        must compute the same masks as the session before.
        """
        if block in self._at_hand:
            return self._at_hand[block]
        frames = range(block * self._block, min((block + 1) * self._block, len(self.frames)))
        images = torch.cat([self._image(frame) for frame in frames])
        found = {}
        for frame, query in zip(frames, self._network.encode_queries(images), strict=True):
            found[frame] = torch.cat([tensor.permute(1, 2, 0).flatten().half() for tensor in query.tensors()])
            self._queries.put(f"query-{frame}", found[frame])
        if self._block > 1:
            while len(self._at_hand) >= BLOCKS_AT_HAND:
                del self._at_hand[next(iter(self._at_hand))]
            self._at_hand[block] = found
        return found

    def _unpack(self, packed: Tensor) -> Query:
        height, width = (side // STRIDE for side in self._padded)
        config = self.config
        shapes = [  # channels last, which is faster for convolutions
            (height, width, config.keys),
            (height, width, config.values),
            (2 * height, 2 * width, config.width),
            (4 * height, 4 * width, config.width),
        ]
        parts = packed.to(self.dtype).split([h * w * c for h, w, c in shapes])
        return Query(*(part.view(shape).permute(2, 0, 1) for part, shape in zip(parts, shapes, strict=True)))


def confidence_of(distribution: Tensor, ids: Sequence[int], num_objects: int) -> tuple[float, ...]:
    """Return the confidence of each of `num_objects` objects, 0..1.

    It is 1 for objects that are not in `ids`, whose masks are empty. `distribution` [1 + n, h, w] are the probabilities
    of background and the n objects `ids`.
    """
    found = dict(zip(ids, confidences(distribution)[1:], strict=True))
    return tuple(found.get(object_id, 1.0) for object_id in range(1, num_objects + 1))
