"""The only module of the web application that uses engines: it lists them and opens their sessions.

Listing engines does not import torch, because the web process does that. Opening a session does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from segmentation import registry, weights
from segmentation.types import BinaryMask, Box, Click, Interaction, LabelMap, MaskUpdate, PastRound, Scribble
from webapp.annotation.codec import decode
from webapp.annotation.models import Mask, Origin, Round, ScribbleKind
from webapp.inference.decisions import tell_decisions
from webapp.inference.further_engines import load_or_end
from webapp.inference.sessions import Session, SessionCache, SessionKey
from webapp.problems import Problem
from webapp.tasks.worker_names import own_name
from webapp.videos.models import Video
from webapp.videos.storage import StoredFrames

if TYPE_CHECKING:  # The web process lists engines without OpenCV, which these import.
    from segmentation.engine import Engine, EngineSettings

if settings.CONFIG["MASKWRIGHT_ENGINES"]:
    load_or_end(settings.CONFIG["MASKWRIGHT_ENGINES"], registry.load_engines)

T = TypeVar("T")
EngineSession: TypeAlias = "Session[Engine]"
EngineSessions: TypeAlias = "SessionCache[Engine]"


@dataclass(frozen=True)
class EngineInfo:
    """An engine as the page offers it.

    `hint` says which weights are missing, or what to know about the weights that come with Maskwright.
    """

    name: str
    title: str
    good_at: str
    needs_weights: bool
    ready: bool
    weights: str  # The names of the weights files that were found, "" if there are none.
    size_bytes: int
    shipped: bool  # True if all weights come with Maskwright.
    published: bool  # True if the engine follows a paper by others. The page lists such engines as research.
    default: bool
    hint: str


def engines() -> list[EngineInfo]:
    """Return every engine of the registry, with the state of its weights."""
    return [_info(spec) for spec in registry.ENGINES.values()]


def _info(spec: registry.EngineSpec) -> EngineInfo:
    states = [weights.state_of(network.name) for network in spec.networks]
    return EngineInfo(
        name=spec.name,
        title=spec.title,
        good_at=spec.good_at,
        needs_weights=spec.needs_weights,
        ready=weights.weights_ready(spec.name),
        weights=", ".join(state.path.name for state in states if state.path),
        size_bytes=sum(state.size for state in states),
        shipped=bool(states) and all(state.shipped for state in states),
        published=spec.published,
        default=spec.name == registry.DEFAULT_ENGINE,
        hint=" ".join(state.sentence for state in states if not state.path) or _of_shipped(spec, states),
    )


def _of_shipped(spec: registry.EngineSpec, states: list[weights.WeightsState]) -> str:
    return spec.shipped if states and all(state.shipped for state in states) else ""


def names() -> list[str]:
    """Return the names of engines that a project or a round may have, "default" included."""
    return ["default", *registry.ENGINES]


def resolve(name: str) -> str:
    """Return the name that the registry has for an engine; `name` may be "default".

    Raises ValueError with the known names.
    """
    return registry.engine_spec(name).name


def weights_label(engine: str) -> str:
    """Return a text that identifies the weights of an engine. Raises WeightsMissing, whose text says what to do."""
    return weights.weights_label(engine)


def weights_states() -> list[weights.WeightsState]:
    """Return, for every network that needs weights, which file an engine would load or what is missing."""
    return [weights.state_of(name) for name in registry.networks()]


def add_weights(file: Path) -> Path:
    """Check a checkpoint and copy it to the folder in which engines look for weights. Return the path of the copy.

    Raises WeightsError, a ValueError, for a file that cannot be used; then nothing is copied.
    """
    from segmentation.checkpoints import add_weights

    return add_weights(file)


def check_weights(network: str) -> str:
    """Load a network's weights as an engine would and return their checksum. Raises ValueError with the reason."""
    from segmentation.checkpoints import check_weights

    return check_weights(network)


def cache_folder() -> Path:
    """Return the folder of this process for features that do not fit into memory.

    It is deleted after the process has ended.
    """
    return Path(settings.HOME) / "cache" / own_name().replace(":", "-")


def engine_settings() -> EngineSettings:
    from segmentation.engine import EngineSettings

    config = settings.CONFIG
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    return EngineSettings(
        device=config["MASKWRIGHT_DEVICE"],
        memory_bytes=config["MASKWRIGHT_MEMORY_MB"] << 20,
        cache_dir=str(folder),
        max_side=config["MASKWRIGHT_MAX_SIDE"] or None,
    )


def device_name() -> str:
    """Return the name of the device that this process computes on.

    PyTorch is imported only if the machine may have a GPU.
    """
    wanted = str(settings.CONFIG["MASKWRIGHT_DEVICE"])
    if wanted != "auto":
        return wanted
    if not any(Path(node).exists() for node in ("/dev/nvidiactl", "/dev/dxg")):
        return "cpu"
    from segmentation.runtime.device import choose_device

    return str(choose_device("auto"))


def tried_device() -> str:
    """Return the name of the device that this process computes on, after PyTorch has tried it.

    Raises ValueError for a device that does not exist.
    """
    from segmentation.runtime.device import choose_device

    return str(choose_device(str(settings.CONFIG["MASKWRIGHT_DEVICE"])))


def interactions_of(round_: Round) -> tuple[Interaction, ...]:
    """Return what was drawn for a round: one interaction for each drawn frame, in ascending order of frames."""
    return tuple(interaction(frame, round_.scribbles) for frame in round_.drawn)


def interaction(frame: int, drawn: Iterable[Mapping[str, Any]]) -> Interaction:
    """Return what was drawn on `frame`, from scribbles in the form that `Round.scribbles` stores."""
    here = [mark for mark in drawn if mark["frame"] == frame]
    return Interaction(
        frame,
        scribbles=tuple(
            Scribble(mark["object_id"], np.asarray(mark["path"], np.float64).reshape(-1, 2), _keeps(mark))
            for mark in here
            if mark["kind"] == ScribbleKind.SCRIBBLE
        ),
        clicks=tuple(
            Click(mark["object_id"], (mark["path"][0][0], mark["path"][0][1]), mark["positive"], _keeps(mark))
            for mark in here
            if mark["kind"] == ScribbleKind.CLICK
        ),
        boxes=tuple(
            Box(mark["object_id"], _corners(mark["path"]), _keeps(mark))
            for mark in here
            if mark["kind"] == ScribbleKind.BOX
        ),
    )


def _keeps(mark: Mapping[str, Any]) -> frozenset[int]:
    return frozenset(mark.get("keeps", ()))


def _corners(path: Sequence[Sequence[float]]) -> tuple[float, float, float, float]:
    (x0, y0), (x1, y1) = path
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def run_round(session: EngineSession, round_: Round) -> Iterator[MaskUpdate]:
    """Run a round in a session that is in the state after the round's base, and yield the masks."""
    span = None if round_.span is None else (round_.span[0], round_.span[1])
    return session.engine.run_round(interactions_of(round_), span, round_.direction, round_.objects_changed)


def interpolated(first: BinaryMask, last: BinaryMask, share: float) -> BinaryMask:
    """Return a shape between two, at `share` (0..1) of the way from `first` to `last`; bool [H, W]."""
    from segmentation.interpolation import between  # This needs SciPy, which the web process does not load.

    return between(first, last, share)


def warm_up() -> Engine:
    """Open a session of the default engine, compute a round of a tiny video in it, and return it.

    While the returned engine lives, its networks stay loaded, so that the first round of a real video does not wait for
    them. Raises what opening a session raises, such as WeightsMissing.
    """
    from segmentation.frames import ArrayFrames

    side = 64
    picture = np.zeros((2, side, side, 3), np.uint8)
    picture[:, side // 4 : side // 2, side // 4 : side // 2] = 255
    engine = registry.create_engine_session(resolve("default"), ArrayFrames(picture), 1, engine_settings())
    scribble = Scribble(1, np.array([(0.3, 0.3), (0.45, 0.45)]))
    for _ in engine.run_round(Interaction(0, (scribble,))):
        pass
    return engine


def session_at(sessions: EngineSessions, video: Video, key: SessionKey, line: list[int], objects: int) -> EngineSession:
    """Return a session of a video in the state after the rounds of `line`, with accepted frames and locked and absent
    objects.

    Args:
        sessions: the cache; the session is taken out of it.
        video: the video.
        key: which video, engine and weights the session is for.
        line: ids of rounds, oldest first.
        objects: the number of objects of the video.

    A cached session that has seen the beginning of `line` is given only the other rounds; a new session is given all of
    them. If that fails, the session is closed, because it holds memory, perhaps of a GPU, and nothing else refers to
    it.
    """
    session = sessions.take(key, line)
    if session is None:
        engine = registry.create_engine_session(key.engine, StoredFrames(video), max(objects, 1), engine_settings())
        session = Session(key, engine, [])
    try:
        _bring_to(session, line, objects)
    except BaseException:
        session.engine.close()
        raise
    return session


def _bring_to(session: EngineSession, line: list[int], objects: int) -> None:
    missing = session.behind(line) or []
    rounds = Round.objects.in_bulk(missing)
    session.engine.restore([_past(rounds[pk]) for pk in missing])
    session.line += missing
    if objects > session.engine.num_objects:
        session.engine.num_objects = objects
    tell_decisions(session)


def _past(round_: Round) -> PastRound:
    return PastRound(
        engine=round_.engine,
        interactions=interactions_of(round_) if round_.origin == Origin.ROUND else (),
        num_objects=round_.num_objects,
        labels=StoredLabels(round_.pk),
        engine_states=StoredEngineStates(round_.pk),
        given=_given(round_),
        direction=round_.direction,
    )


def _given(round_: Round) -> dict[int, frozenset[int]]:
    """Return, by frame, the ids of the objects whose pixels this version fixed: they were painted or copied."""
    copied = round_.edit is not None and round_.edit["op"] == "copy"
    if round_.origin != Origin.PAINTED and not copied:
        return {}
    frames = Mask.objects.filter(round=round_).values_list("frame", flat=True)
    return dict.fromkeys(frames, frozenset(round_.objects_changed or ()))


class _StoredByFrame(Mapping[int, T]):
    """A mapping from frames to one column of the masks of a round.

    A value is read from the database when it is asked for. This is safe, because the masks of a round that has ended
    do not change.
    """

    column: str

    def __init__(self, round_id: int) -> None:
        self._masks = Mask.objects.filter(round_id=round_id, **{f"{self.column}__isnull": False})
        self._frames: dict[int, None] | None = None

    def _known(self) -> dict[int, None]:
        if self._frames is None:
            self._frames = dict.fromkeys(self._masks.order_by("frame").values_list("frame", flat=True))
        return self._frames

    def __getitem__(self, frame: int) -> T:
        if frame not in self._known():
            raise KeyError(frame)
        return self._read(bytes(self._masks.values_list(self.column, flat=True).get(frame=frame)))

    def __contains__(self, frame: object) -> bool:
        return frame in self._known()

    def __iter__(self) -> Iterator[int]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())

    def _read(self, data: bytes) -> T:
        raise NotImplementedError


class StoredLabels(_StoredByFrame[LabelMap]):
    """The label maps that a round itself stored, uint8 [H, W], by frame."""

    column = "data"

    def _read(self, data: bytes) -> LabelMap:
        return decode(data)


class StoredEngineStates(_StoredByFrame[bytes]):
    """The engine state of each frame of a round: the bytes that the engine attached to the mask."""

    column = "engine_state"

    def _read(self, data: bytes) -> bytes:
        return data


def j_and_f(truth: LabelMap, labels: LabelMap, objects: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return J and F, each float64 [objects], of objects 1..`objects` in one frame.

    Both label maps are uint8 [H, W], and an object has the same id in both.
    """
    from segmentation import metrics  # This needs OpenCV, which the web process does not load.

    return metrics.jaccard(truth, labels, objects), metrics.boundary_f(truth, labels, objects)


def explain(error: Exception) -> tuple[str, str] | None:
    """Return a code and a sentence for an error that a person can do something about; None for a fault
    of the program.
    """
    if isinstance(error, weights.WeightsMissing):
        return "weights_missing", str(error)
    if isinstance(error, weights.WeightsError):
        return "weights_unusable", str(error)
    # PyTorch has its own class for a full GPU, which is compared by name, because PyTorch is not imported here.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return (
            "out_of_memory",
            "Memory ran out. Set MASKWRIGHT_MAX_SIDE to a smaller number or choose a lighter engine, then run again. "
            "Your scribbles are kept.",
        )
    if isinstance(error, FileNotFoundError):
        return "frame_missing", f"A file of this video is gone: {Path(error.filename or '').name}. Import it again."
    if isinstance(error, Problem):
        return error.code, error.text
    if isinstance(error, ValueError):
        return "engine_refused", f"The engine refused this round: {error}"
    return None
