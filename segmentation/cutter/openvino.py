"""The cutter's network, compiled by OpenVINO on a CPU."""

from __future__ import annotations

import torch
from torch import Tensor

from segmentation.cutter.refinement import NUM_CUES, SIDE, RefinementNet
from segmentation.runtime.folding import for_inference
from segmentation.runtime.openvino import AT_A_TIME, Function, compiled, replace_forward


def compile_refinement_net(network: RefinementNet, device: torch.device, dtype: torch.dtype) -> RefinementNet:
    """Return a copy of the network for inference on `device`, whose results are nearly the same.

    On a CPU OpenVINO computes it, if it is installed, in bfloat16 if the processor supports it.
    """
    ready = for_inference(network, device, dtype)
    example = torch.rand(2, 3, SIDE, SIDE), torch.rand(2, NUM_CUES, SIDE, SIDE)
    # A person waits for its mask, and before that no frame is computed ahead: one call has all threads.
    run = compiled(ready, example, device, streams=1)
    if run is not None:
        _cut_with(ready, run)
    return ready


def _cut_with(cutter: RefinementNet, run: Function) -> None:
    def logits(images: Tensor, cues: Tensor) -> Tensor:
        windows = zip(images.split(AT_A_TIME), cues.split(AT_A_TIME), strict=True)
        return torch.cat([run(*some)[0] for some in windows])

    replace_forward(cutter, logits)
