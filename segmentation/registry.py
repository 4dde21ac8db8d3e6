"""The engines by name. Engines are listed from their specs (`spec.py` in their folders), without importing them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from segmentation.engine_specs import EngineSpec, NetworkSpec
from segmentation.types import FrameSource, PastRound

if TYPE_CHECKING:  # Engines are listed without OpenCV, which this imports.
    from segmentation.engine import Engine, EngineSettings

# Dotted paths of the specs by engine name, in the order in which menus show the engines.
SPECS = {
    "flow": "segmentation.engines.flow.spec:FLOW",
    "star": "segmentation.engines.star.spec:STAR",
    "stm": "segmentation.engines.stm.spec:STM",
    "stm-semi": "segmentation.engines.stm.spec:STM_SEMI",
    "ipn": "segmentation.engines.ipn.spec:IPN",
    "manet": "segmentation.engines.manet.spec:MANET",
    "strnn": "segmentation.engines.strnn.spec:STRNN",
}

INTERACTIONS = "auto", "own", "cutter"  # values of the option `interaction`
WITH_CUTTER = "segmentation.cutter.interaction:with_cutter"


def load(path: str) -> Any:
    """Import the module of a dotted path "package.module:name", and return the attribute `name` of it."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


ENGINES: dict[str, EngineSpec] = {name: load(path) for name, path in SPECS.items()}
DEFAULT_ENGINE = next((name for name, spec in ENGINES.items() if spec.preferred), next(iter(ENGINES)))


def load_engines(module: str) -> None:
    """Add the engines of another package: `module` is the name of a module with a dict `ENGINES` of names and specs.

    Raises:
        ValueError: there is no such module, or it has no such dict.
        ImportError: a module that it imports is missing.
    """
    if not isinstance(module, str) or not module or module.startswith("."):
        raise ValueError(f"module: expected the dotted name of a module, got {module!r}")
    try:
        added = getattr(import_module(module), "ENGINES", None)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):
            raise
        raise ValueError(f"module: there is no module {error.name}") from None
    if not isinstance(added, dict) or not all(isinstance(spec, EngineSpec) for spec in added.values()):
        raise ValueError(f"module: {module} has no dict ENGINES of names and specs of engines")
    ENGINES.update(added)


def engine_spec(name: str) -> EngineSpec:
    """Return the spec of an engine by its name; "default" means the preferred engine.

    Raises:
        ValueError: there is no such engine; the message lists the known engines.
    """
    if name == "default":
        name = DEFAULT_ENGINE
    try:
        return ENGINES[name]
    except KeyError:
        raise ValueError(f"engine: unknown {name!r}, known are {', '.join(ENGINES)}") from None


def networks() -> dict[str, NetworkSpec]:
    """Return the specs of the networks of all engines, by the network's name."""
    return {network.name: network for spec in ENGINES.values() for network in spec.networks}


def objectives() -> dict[str, str]:
    """Return the dotted paths of the classes that compute training losses, by the field `engine` of a training plan."""
    return {name: path for spec in ENGINES.values() for name, path in spec.programs.objectives.items()}


def golden_systems() -> dict[str, str]:
    """Return, by the published system's name, the dotted path of the function that runs our code on a golden case."""
    return {name: path for spec in ENGINES.values() for name, path in spec.programs.golden.items()}


def create_engine_session(
    name: str,
    frames: FrameSource,
    num_objects: int,
    settings: EngineSettings | None = None,
    rounds: Sequence[PastRound] = (),
    **options: Any,
) -> Engine:
    """Open an engine on a video, in the state that it has after the stored `rounds`.

    Engines that read scribbles (`EngineSpec.reads_scribbles`) have one more option, `interaction`, which says what
    segments the drawn frame: "own" for the engine's network, "cutter" for STAR's cutter, "auto" for the choice of
    `weights.uses_cutter`.

    Raises:
        ValueError: an unknown engine, option or value, or something else than a `PastRound` among `rounds`.
        WeightsMissing: a checkpoint is missing; the message says where it is expected.
        WeightsError: a checkpoint cannot be used.
    """
    from segmentation.weights import uses_cutter  # imported here because it imports this module

    spec = engine_spec(name)
    _check_rounds(rounds)
    interaction = options.pop("interaction", "auto") if spec.reads_scribbles else "own"
    if interaction not in INTERACTIONS:
        raise ValueError(f"interaction: expected one of {', '.join(INTERACTIONS)}, got {interaction!r}")
    engine: Engine = load(spec.path)(frames, num_objects, settings, **options)
    if interaction == "cutter" or (interaction == "auto" and uses_cutter(spec.name, engine.settings.weights)):
        try:
            engine = load(WITH_CUTTER)(engine)
        except ValueError:
            engine.close()
            raise
    engine.restore(rounds)
    return engine


def _check_rounds(rounds: Any) -> None:
    if not isinstance(rounds, Sequence):
        raise ValueError(f"rounds: expected a sequence of segmentation.PastRound, got {type(rounds).__name__}")
    for past in rounds:
        if not isinstance(past, PastRound):
            raise ValueError(f"rounds: expected segmentation.PastRound, got {type(past).__name__}")
