"""Measures the speed of IPN, as the engine runs it and in a plain version.

The plain version computes as the official program does: it encodes a frame again for every object and every round.
"""

from __future__ import annotations

import torch

from segmentation.checkpoints import load_network
from segmentation.engines.ipn.network import Inet, Pnet
from segmentation.evaluation.measure_engines import plain_stages
from segmentation.evaluation.measure_engines.plain_stages import Stages
from segmentation.evaluation.measure_engines.scene import Clock, Measured, Scene


def measure(engine: str, scene: Scene, weights: str, clock: Clock) -> Measured:
    return plain_stages.measure(engine, scene, weights, stages_of(scene, weights), clock)


def stages_of(scene: Scene, weights: str) -> Stages:
    """Return functions that compute one frame as the official program does, to measure their speed.

    The names are those of the stages in `timed_rounds`: for rounds 1 and 2, the frame that was drawn on and a frame
    that is propagated to.
    """
    inet, pnet = load_network("ipn-inet", weights), load_network("ipn-pnet", weights)
    assert isinstance(inet, Inet)
    assert isinstance(pnet, Pnet)
    frame = torch.from_numpy(scene.frames[:1]).permute(0, 3, 1, 2).float() / 255
    masks = [torch.from_numpy(scene.labels[:1] == i).float() for i in range(1, scene.objects + 1)]
    nothing = torch.zeros_like(masks[0])
    reference = inet(frame, nothing, masks[0], nothing).reference

    def interact() -> None:
        for mask in masks:
            inet(frame, nothing, mask, nothing)

    def propagate() -> None:
        for mask in masks:
            pnet(frame, pnet.aggregate(reference, reference), nothing, mask)

    return {
        f"round {i}, {what}": work
        for i in (1, 2)
        for what, work in (("its own frame", interact), ("a frame", propagate))
    }
