"""Segments the frame that was drawn on by the cutter, a network that segments an object from its scribbles."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from segmentation.classical.interacted_frame import InteractedFrame, ObjectEvidence, UndrawnFrame
from segmentation.classical.scaled_frames import ScaledFrames, Sizes
from segmentation.cutter.openvino import compile_refinement_net
from segmentation.cutter.refinement import RefinementNet, refine_interacted
from segmentation.engine import EngineSettings
from segmentation.runtime.folding import for_inference
from segmentation.runtime.shared_networks import shared_network
from segmentation.types import FrameSource, Interaction, LabelMap, Scribble
from segmentation.weights import CUTTER


class FrameDrawing:
    """Computes the masks of frames of a video from scribbles.

    With `openvino`, OpenVINO computes the cutter on a CPU if it is installed.

    Raises:
        WeightsMissing: the checkpoint of the cutter is missing.
    """

    def __init__(
        self, frames: FrameSource, settings: EngineSettings, device: torch.device, openvino: bool = True
    ) -> None:
        size = frames.height, frames.width
        self._frames = ScaledFrames(frames, Sizes.of(*size, settings.max_side))
        self._seed = settings.seed
        self._ahead: tuple[int, UndrawnFrame] | None = None  # A frame index, and what was computed ahead of it.
        prepare = compile_refinement_net if openvino else for_inference
        self._cutter = shared_network(RefinementNet, CUTTER, None, device, torch.float32, prepare)

    @property
    def nbytes(self) -> int:
        return self._frames.nbytes + UndrawnFrame.largest(self._frames.sizes)

    def labels(self, interaction: Interaction, earlier: list[Scribble], before: LabelMap | None) -> LabelMap:
        """Compute the mask of the frame that was drawn on, from the new scribbles of `interaction`.

        `earlier` are older scribbles on this frame, `before` is its mask so far (None: it has none).
        """
        frame, scribbles = interaction.frame, interaction.scribbles
        undrawn = self._undrawn(frame)
        drawn = InteractedFrame(self._frames, frame, earlier, scribbles, before, self._seed, undrawn)
        return drawn.labels(self._refine)

    def prepare(self, frame: int) -> None:
        """Compute what every drawing on a frame needs, whatever its scribbles are, before anybody draws on it."""
        self._frames[frame].sparse_features  # noqa: B018 (it is computed and kept when it is first read)
        self._undrawn(frame)

    def _undrawn(self, frame: int) -> UndrawnFrame:
        """Return what is computed to segment a frame from scribbles, but does not depend on the scribbles.

        It is kept for one frame only, and used again by the next preview or round of this frame.
        """
        if self._ahead is None or self._ahead[0] != frame:
            self._ahead = frame, UndrawnFrame.of(self._frames, frame)
        return self._ahead[1]

    @torch.inference_mode()
    def _refine(self, frame: int, evidence: ObjectEvidence) -> NDArray[np.float32]:
        return refine_interacted(self._cutter, self._frames[frame], evidence)
