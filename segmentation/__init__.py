"""Interactive video object segmentation: engines, their networks, training and evaluation. Knows nothing of Django."""

import os

# Read when NumPy comes, if it has not come yet: its matrices are small here, and OpenBLAS' threads, which wait by
# spinning, take the cores from OpenCV and torch. Rounds of STAR on two cores: 15 to 17 frames a second in place of 10
# to 12.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Torch's wait by spinning too, for milliseconds. Alone that gains nothing here; two workers on two cores took 31 s each
# for a round that takes them 14 s so.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

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
