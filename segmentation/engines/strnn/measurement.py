"""Measures the speed of ST-RNN, as the engine runs it and in a plain version.

There is no official code to compare with. The plain version is the network as it is trained, with separate batch norms.
It computes the features of a frame and runs the RNN on them, which the engine does once for each frame of a video.
"""

from __future__ import annotations

from functools import partial

import torch

from segmentation.checkpoints import load_network
from segmentation.engine import EngineSettings
from segmentation.engines.strnn.engine import STRNNEngine
from segmentation.engines.strnn.network import STRNN, to_input
from segmentation.evaluation.measure_engines.scene import (
    Clock,
    Measured,
    Scene,
    agreement,
    gflop,
    seconds,
    timed_rounds,
)
from segmentation.evaluation.memory import PeakMemory
from segmentation.frames import ArrayFrames
from segmentation.types import MaskUpdate

FEATURES = "features and RNN"


def run_engine(
    scene: Scene, weights: str, precision: str, clock: Clock
) -> tuple[dict[str, float], list[MaskUpdate], PeakMemory]:
    """Run two rounds of the engine. Return the seconds per frame of each stage, the masks, and the peak memory."""
    peak = PeakMemory()
    peak.start()
    settings = EngineSettings(device="cpu", weights=weights)
    session = STRNNEngine(ArrayFrames(scene.frames), scene.objects, settings, precision=precision)
    spent = [seconds(partial(session._outputs.get, t), clock=clock) for t in range(len(scene.frames))]
    times, masks = timed_rounds(session, scene, clock)
    peak.stop()
    session.close()
    return {FEATURES: min(spent)} | times, masks, peak


def run_plain(scene: Scene, weights: str, clock: Clock) -> tuple[float, float]:
    """Return the seconds and the GFLOP that the network takes for a frame without the engine's optimisations."""
    network = load_network("strnn", weights)
    assert isinstance(network, STRNN)
    image = to_input(torch.from_numpy(scene.frames[:1]).permute(0, 3, 1, 2))
    _, states = network(image, [None] * len(network.branches))
    return seconds(lambda: network(image, states), 2, clock), gflop(lambda: network(image, states))


def measure(engine: str, scene: Scene, weights: str, clock: Clock) -> Measured:
    exact, masks, peak = run_engine(scene, weights, "float32", clock)
    half, half_masks, _ = run_engine(scene, weights, "bfloat16", clock)
    plain, flops = run_plain(scene, weights, clock)
    return Measured(
        exact, half, {FEATURES: plain}, {FEATURES: flops}, peak.bytes, agreement(masks, half_masks, scene.objects)
    )
