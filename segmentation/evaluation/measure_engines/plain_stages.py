"""Measures an engine, and for comparison a plain version that computes in the same way as the official code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from segmentation.engine import EngineSettings
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
from segmentation.registry import create_engine_session
from segmentation.types import MaskUpdate

Stages = dict[str, Callable[[], Any]]


def run_engine(
    engine: str, scene: Scene, weights: str, precision: str, clock: Clock
) -> tuple[dict[str, float], list[MaskUpdate]]:
    settings = EngineSettings(device="cpu", weights=weights)
    session = create_engine_session(engine, ArrayFrames(scene.frames), scene.objects, settings, precision=precision)
    result = timed_rounds(session, scene, clock)
    session.close()
    return result


def measure(engine: str, scene: Scene, weights: str, stages: Stages, clock: Clock) -> Measured:
    """Measure an engine in float32 and bfloat16, and a plain version that computes as the official code does.

    Args:
        stages: functions that each compute one stage in the plain version, by the names that `timed_rounds` returns.
    """
    peak = PeakMemory()
    peak.start()
    exact, masks = run_engine(engine, scene, weights, "float32", clock)
    peak.stop()
    plain = {name: seconds(work, 2, clock) for name, work in stages.items()}
    flops = {name: gflop(work) for name, work in stages.items()}
    half, half_masks = run_engine(engine, scene, weights, "bfloat16", clock)
    return Measured(exact, half, plain, flops, peak.bytes, agreement(masks, half_masks, scene.objects))
