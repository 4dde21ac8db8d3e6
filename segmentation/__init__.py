"""Interactive video object segmentation: draw on a frame of a video, get the masks of all frames.

    import segmentation as seg
    video = seg.open_video("clip.mp4")
    with seg.open_session("star", video) as session:
        for update in session.scribble(frame=0, object=1, path=[(.4, .5), (.5, .55)]): ...
        session.masks[12]            # uint8 [H, W]

`__all__` lists the public names. The package does not import Django.

Public names are loaded when they are first used, so that `import segmentation` and `segmentation.formats` need neither
torch nor OpenCV.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

# NumPy reads this variable when it is imported. The matrices are small here, and the threads of OpenBLAS, which wait by
# spinning, take the cores from OpenCV and torch.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# The threads of torch wait by spinning too, for milliseconds. Where several workers share the cores, they would take
# them from each other. A single worker gains nothing by this.
os.environ.setdefault("GOMP_SPINCOUNT", "2000")

if TYPE_CHECKING:
    from segmentation.engine import EngineSettings
    from segmentation.formats.davis_folder import DavisFolder, DavisSequence, FolderError
    from segmentation.formats.label_png import MaskError, read_labels, write_labels
    from segmentation.formats.scribble_json import ScribbleError, read_scribbles, write_scribbles
    from segmentation.interactive_round import Round
    from segmentation.interactive_session import InteractiveSession, open_session
    from segmentation.metrics import Score, score
    from segmentation.registry import ENGINES, create_engine_session, engine_spec, load_engines
    from segmentation.simulated_user import SimulatedRound, SimulatedUser, simulate
    from segmentation.types import Box, Click, FrameSource, Interaction, MaskUpdate, PastRound, Scribble
    from segmentation.video import Video, open_video

_MODULES = {
    "Box": "types",
    "Click": "types",
    "DavisFolder": "formats.davis_folder",
    "DavisSequence": "formats.davis_folder",
    "ENGINES": "registry",
    "EngineSettings": "engine",
    "FolderError": "formats.davis_folder",
    "FrameSource": "types",
    "Interaction": "types",
    "InteractiveSession": "interactive_session",
    "MaskError": "formats.label_png",
    "MaskUpdate": "types",
    "PastRound": "types",
    "Round": "interactive_round",
    "Score": "metrics",
    "Scribble": "types",
    "ScribbleError": "formats.scribble_json",
    "SimulatedRound": "simulated_user",
    "SimulatedUser": "simulated_user",
    "Video": "video",
    "create_engine_session": "registry",
    "engine_spec": "registry",
    "load_engines": "registry",
    "open_session": "interactive_session",
    "open_video": "video",
    "read_labels": "formats.label_png",
    "read_scribbles": "formats.scribble_json",
    "score": "metrics",
    "simulate": "simulated_user",
    "write_labels": "formats.label_png",
    "write_scribbles": "formats.scribble_json",
}

__all__ = [
    "ENGINES",
    "Box",
    "Click",
    "DavisFolder",
    "DavisSequence",
    "EngineSettings",
    "FolderError",
    "FrameSource",
    "Interaction",
    "InteractiveSession",
    "MaskError",
    "MaskUpdate",
    "PastRound",
    "Round",
    "Score",
    "Scribble",
    "ScribbleError",
    "SimulatedRound",
    "SimulatedUser",
    "Video",
    "create_engine_session",
    "engine_spec",
    "load_engines",
    "open_session",
    "open_video",
    "read_labels",
    "read_scribbles",
    "score",
    "simulate",
    "write_labels",
    "write_scribbles",
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
