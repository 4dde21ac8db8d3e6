"""Interactive video object segmentation: engines, their networks, training and evaluation. Knows nothing of Django."""

from segmentation.engine import EngineSettings
from segmentation.registry import ENGINES, engine_spec, open_session
from segmentation.types import FrameSource, Interaction, MaskUpdate, PastRound, Scribble

__all__ = [
    "ENGINES",
    "EngineSettings",
    "FrameSource",
    "Interaction",
    "MaskUpdate",
    "PastRound",
    "Scribble",
    "engine_spec",
    "open_session",
]
