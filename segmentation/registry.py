"""The engines by name. Listing them imports none: a name leads to a dotted path that is imported when it is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from segmentation.engine import Engine, EngineSettings
from segmentation.types import FrameSource, PastRound
from segmentation.weights import READS_SCRIBBLES, uses_cutter


@dataclass(frozen=True)
class EngineSpec:
    """One line of the registry.

    `needs_weights` engines can be listed but not opened without a checkpoint. `shipped` is what to know of the weights
    that ship, where they are the ones in use.
    """

    name: str
    title: str
    path: str  # "package.module:Class"
    good_at: str
    needs_weights: bool = False
    shipped: str = ""


BEGINNING = "Its weights are small: STAR is better."

ENGINES: dict[str, EngineSpec] = {
    spec.name: spec
    for spec in (
        EngineSpec(
            "flow",
            "Flow",
            "segmentation.engines.flow.engine:FlowEngine",
            "Needs no weights. Fast on any machine; good for objects whose colours differ from what surrounds them.",
        ),
        EngineSpec(
            "star",
            "STAR",
            "segmentation.engines.star.engine:StarEngine",
            "Flow, put right by small networks where you draw and in every other frame. The best one here, but slower.",
            needs_weights=True,
        ),
        EngineSpec(
            "stm",
            "STM, interactive",
            "segmentation.engines.stm.engine:InteractiveSTMEngine",
            "Finds an object again after it was hidden: each frame is matched to the annotated ones.",
            needs_weights=True,
            shipped=BEGINNING,
        ),
        EngineSpec(
            "stm-semi",
            "STM, from given masks",
            "segmentation.engines.stm.semi:SemiSTMEngine",
            "Carries good masks (accepted or painted ones) through the video, frame by frame.",
            needs_weights=True,
            shipped="Its weights are small: accept a mask that STAR made, and it carries that on.",
        ),
        EngineSpec(
            "ipn",
            "IPN",
            "segmentation.engines.ipn.engine:IPNEngine",
            "Looks closely at a region around each object: good for small ones. Corrections blend with earlier rounds.",
            needs_weights=True,
            shipped=BEGINNING,
        ),
        EngineSpec(
            "manet",
            "MA-Net",
            "segmentation.engines.manet.engine:MANetEngine",
            "Looks at every frame once, then rounds are quick: good where an object needs many corrections.",
            needs_weights=True,
            shipped=BEGINNING,
        ),
        EngineSpec(
            "strnn",
            "ST-RNN",
            "segmentation.engines.strnn.engine:STRNNEngine",
            "Adapts to the video in closed form, then refines: best for objects of a look of their own.",
            needs_weights=True,
            shipped=BEGINNING,
        ),
    )
}

INTERACTIONS = "auto", "own", "cutter"  # who draws the annotated frames
WITH_CUTTER = "segmentation.cutter.interaction:with_cutter"
DEFAULT_ENGINE = "star"  # the best of the benchmark on CPU (README)


def load_engines(module: str) -> None:
    """Add the engines of a module of one's own, whose `ENGINES` is a dict of specs like the one above."""
    ENGINES.update(import_module(module).ENGINES)


def engine_spec(name: str) -> EngineSpec:
    """The spec of `name` ("default" = the default engine). ValueError lists the known names."""
    if name == "default":
        name = DEFAULT_ENGINE
    try:
        return ENGINES[name]
    except KeyError:
        raise ValueError(f"engine: unknown {name!r}, known are {', '.join(ENGINES)}") from None


def create_engine_session(
    name: str,
    frames: FrameSource,
    num_objects: int,
    settings: EngineSettings | None = None,
    rounds: Sequence[PastRound] = (),
    **options: Any,
) -> Engine:
    """Open `name` on a video, in the state after `rounds`.

    The published systems that read scribbles (`weights.READS_SCRIBBLES`) have one more option, `interaction`: "own",
    "cutter" (STAR's cutter segments the annotated frames, `segmentation.cutter.interaction`) or "auto"
    (`weights.uses_cutter`).

    Raises ValueError, or WeightsMissing with what to do.
    """
    spec = engine_spec(name)
    interaction = options.pop("interaction", "auto") if spec.name in READS_SCRIBBLES else "own"
    if interaction not in INTERACTIONS:
        raise ValueError(f"interaction: expected one of {', '.join(INTERACTIONS)}, got {interaction!r}")
    engine: Engine = _load(spec.path)(frames, num_objects, settings, **options)
    if interaction == "cutter" or (interaction == "auto" and uses_cutter(spec.name, engine.settings.weights)):
        try:
            engine = _load(WITH_CUTTER)(engine)
        except ValueError:
            engine.close()
            raise
    engine.restore(rounds)
    return engine


def _load(path: str) -> Any:
    """What a "package.module:name" leads to."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)
