"""Measures the speed of STM, semi-supervised STM and IPN, as the engines run them and in a plain version.

The plain version computes as the official programs do: it encodes a frame again for every object and every round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from segmentation.checkpoints import load_network
from segmentation.engine import EngineSettings
from segmentation.engines.ipn.network import Inet, Pnet
from segmentation.engines.stm.network import STRIDE, SpaceTimeMemory
from segmentation.evaluation.measure_engines.scene import (
    HEIGHT,
    WIDTH,
    Clock,
    Measured,
    Scene,
    agreement,
    gflop,
    seconds,
    timed_rounds,
)
from segmentation.evaluation.memory import PeakMemory
from segmentation.evaluation.paper_weights import GAINS
from segmentation.frames import ArrayFrames
from segmentation.networks.padding import pad, padding_to
from segmentation.registry import create_engine_session
from segmentation.types import MaskUpdate

Stages = dict[str, Callable[[], Any]]


def plain_stages(engine: str, scene: Scene, weights: str) -> Stages:
    """Return what the official program computes for a frame, under the stage names of `timed_rounds`."""
    networks = [load_network(name, weights) for name in GAINS[engine]]
    return _plain_ipn(scene, networks) if engine == "ipn" else _plain_stm(engine, scene, networks[0])


def _plain_stm(engine: str, scene: Scene, network: nn.Module) -> Stages:
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


def _plain_ipn(scene: Scene, networks: Sequence[nn.Module]) -> Stages:
    inet, pnet = networks
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


def run_engine(
    engine: str, scene: Scene, weights: str, precision: str, clock: Clock
) -> tuple[dict[str, float], list[MaskUpdate]]:
    settings = EngineSettings(device="cpu", weights=weights)
    session = create_engine_session(engine, ArrayFrames(scene.frames), scene.objects, settings, precision=precision)
    result = timed_rounds(session, scene, clock)
    session.close()
    return result


def measure(engine: str, scene: Scene, weights: str, clock: Clock) -> Measured:
    peak = PeakMemory()
    peak.start()
    exact, masks = run_engine(engine, scene, weights, "float32", clock)
    peak.stop()
    stages = plain_stages(engine, scene, weights)
    plain = {name: seconds(work, 2, clock) for name, work in stages.items()}
    flops = {name: gflop(work) for name, work in stages.items()}
    half, half_masks = run_engine(engine, scene, weights, "bfloat16", clock)
    return Measured(exact, half, plain, flops, peak.bytes, agreement(masks, half_masks, scene.objects))
