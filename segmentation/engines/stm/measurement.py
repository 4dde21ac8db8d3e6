"""Measures the speed of interactive and of semi-supervised STM, as they run and in a plain version.

The plain version computes as the official programs do: it encodes a frame again for every object and every round.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from segmentation.checkpoints import load_network, network_class
from segmentation.engines.stm.network import STRIDE, SpaceTimeMemory
from segmentation.evaluation.measure_engines import plain_stages
from segmentation.evaluation.measure_engines.parts import Applied, Part
from segmentation.evaluation.measure_engines.plain_stages import Stages
from segmentation.evaluation.measure_engines.scene import HEIGHT, WIDTH, Clock, Measured, Scene
from segmentation.networks.padding import pad, padding_to
from segmentation.runtime.folding import for_inference


def measure(engine: str, scene: Scene, weights: str, clock: Clock) -> Measured:
    return plain_stages.measure(engine, scene, weights, stages_of(engine, scene, weights), clock)


def stages_of(engine: str, scene: Scene, weights: str) -> Stages:
    """Return functions that compute one frame as the official program does, to measure their speed.

    The names are those of the stages in `timed_rounds`: a frame in round 1 and a frame in round 2.
    """
    network = load_network(engine, weights)
    assert isinstance(network, SpaceTimeMemory)
    padding = padding_to(STRIDE, HEIGHT, WIDTH)
    frame = pad(torch.from_numpy(scene.frames[:1]).permute(0, 3, 1, 2).float() / 255, padding)
    channels = 2 if engine == "stm-semi" else 3
    cues = torch.zeros(1, channels, *frame.shape[-2:])
    cues[0, 0] = pad(torch.from_numpy(scene.labels[0] == 1).float(), padding)
    (slot,) = network.memorize(frame, cues)

    def frame_of(memory: int) -> Callable[[], Any]:
        def work() -> None:
            for _ in range(scene.objects):
                if engine == "stm-semi":
                    network.memorize(frame, cues)
                network.segment([[slot] * memory], network.encode_query(frame))

        return work

    return {"round 1, a frame": frame_of(1 + (engine == "stm-semi")), "round 2, a frame": frame_of(2)}


def paper_parts() -> list[Part]:
    """Return the encoder of frames to segment, with the paper's sizes and a 480p input, to measure its speed."""
    encoder = network_class("stm")().eval().get_submodule("Encoder_Q")
    folded = for_inference(encoder, torch.device("cpu"), torch.float32)
    frame = torch.rand(1, 3, HEIGHT // 16 * 16, WIDTH // 16 * 16)
    return [("STM, query encoder", Applied(folded, lambda m, x: m(x)), frame)]
