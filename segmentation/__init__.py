"""Interactive video object segmentation: engines, their networks, training and evaluation. Knows nothing of Django.

Public names are loaded when they are first used, so that `import segmentation` and `segmentation.formats` need neither
torch nor OpenCV.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# NumPy reads this variable when it is imported. The matrices are small here, and the threads of OpenBLAS, which wait by
# spinning, take the cores from OpenCV and torch: a round of STAR on two cores computes 15 to 17 frames a second with
# this setting and 10 to 12 without it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# The threads of torch wait by spinning too, for milliseconds. Two workers on two cores took 31 s each for a round that
# takes 14 s with this setting. A single worker gains nothing by it.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

if TYPE_CHECKING:
    from segmentation.engine import EngineSettings
    from segmentation.registry import ENGINES, create_engine_session, engine_spec
    from segmentation.types import FrameSource, Interaction, MaskUpdate, PastRound, Scribble

_MODULES = {
    "ENGINES": "registry",
    "EngineSettings": "engine",
    "FrameSource": "types",
    "Interaction": "types",
    "MaskUpdate": "types",
    "PastRound": "types",
    "Scribble": "types",
    "engine_spec": "registry",
    "create_engine_session": "registry",
}

__all__ = [
    "ENGINES",
    "EngineSettings",
    "FrameSource",
    "Interaction",
    "MaskUpdate",
    "PastRound",
    "Scribble",
    "create_engine_session",
    "engine_spec",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
