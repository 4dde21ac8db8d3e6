"""The settings that every engine has: device, memory, files, frame size and random seed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EngineSettings:
    """How an engine may use the machine.

    Args:
        device: "auto", "cpu", "cuda" or "cuda:<n>".
        weights: a checkpoint, or a folder with checkpoints; None: those that `segmentation.weights` finds.
        memory_bytes: how many bytes the engine may cache between frames and rounds.
        cache_dir: folder in which features may be stored; None: features are cached in memory only.
        max_side: a limit, in pixels, of the longer side of the frames on which the engine computes; None: the engine's
            own limit.
        seed: seed of the random numbers, for engines that use any.
    """

    device: str = "auto"
    weights: str | None = None
    memory_bytes: int = 1 << 30
    cache_dir: str | None = None
    max_side: int | None = None
    seed: int = 0
