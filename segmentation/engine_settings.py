"""How an engine may use the machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EngineSettings:
    """How an engine may use the machine.

    Args:
        device: "auto", "cpu", "cuda" or "cuda:<n>".
        weights: a checkpoint, or a folder with checkpoints; None: those that `segmentation.weights` finds.
        memory_bytes: budget for everything that is cached between frames and rounds.
        cache_dir: folder in which features may be stored; None: features are cached in memory only.
        max_side: longest side in pixels of the frame that the networks see; None: the engine's own choice.
        seed: for methods that draw random numbers.
    """

    device: str = "auto"
    weights: str | None = None
    memory_bytes: int = 1 << 30
    cache_dir: str | None = None
    max_side: int | None = None
    seed: int = 0
