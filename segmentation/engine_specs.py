"""Descriptions of engines and their networks, which the rest of the software uses instead of importing the engines.

The file `spec.py` in each engine's folder holds the description of that engine. This module imports neither torch nor
an engine, so that a process that never computes (such as the web process) can list engines and their weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class NetworkSpec:
    """A network that needs a checkpoint.

    Args:
        name: the network in commands; its checkpoint is called `<name>.safetensors`, `<name>.pth` or `<name>.pt`.
        title: the network's name in messages and lists.
        path: dotted path of the network's class, "package.module:Class".
        config: dotted path of the class of its configuration.
        folder: the engine's folder in `segmentation/engines`. Its subfolder `weights` holds the checkpoints that come
            with Maskwright.
        source: where the published weights come from, and their licence terms.
        official: file name of the published checkpoint. A file of this name is found too.
    """

    name: str
    title: str
    path: str
    config: str
    folder: str
    source: str
    official: str = ""


@dataclass(frozen=True)
class OfflinePrograms:
    """The engine's functions and classes that the training and evaluation commands call.

    Each is a dotted path "package.module:name" into the engine's folder and is imported when a command needs it.

    Args:
        objectives: classes that compute the training loss; the key is the field `engine` of a training plan
            (`python -m segmentation.training`).
        golden: functions that compute the arrays that are compared with the golden table; the key is the name of the
            published system (`python -m segmentation.evaluation.golden`).
        measure: a function (engine, scene, weights, clock) -> `Measured`, which times the engine for
            `python -m segmentation.evaluation.measure_engines papers`.
        shipped_parts: a function that returns the modules of the networks with the shipped weights, which
            `measure_engines runtimes` times.
        paper_parts: a function that returns the same modules of networks of the paper's size.
    """

    objectives: Mapping[str, str] = field(default_factory=dict, hash=False)
    golden: Mapping[str, str] = field(default_factory=dict, hash=False)
    measure: str = ""
    shipped_parts: str = ""
    paper_parts: str = ""


@dataclass(frozen=True)
class EngineSpec:
    """The description of an engine for menus, commands and the registry.

    Args:
        name: the engine in commands, stored rounds and the registry.
        title: the engine's name in menus and messages.
        path: dotted path of the engine's class, "package.module:Class". It is imported when a session is opened.
        good_at: one or two sentences that say when to choose this engine.
        networks: the networks that it computes with. A session opens only where all of their checkpoints are found.
        reads_scribbles: whether a network of the engine segments the drawn frame from scribbles. Such an engine has the
            option `interaction`, by which STAR's cutter can segment that frame in place of the engine's own network.
        shipped: a message that is shown while the engine uses the weights that ship with Maskwright.
        published: whether the engine reimplements a paper by others. Menus list these engines separately, as research.
        preferred: whether the name "default" means this engine.
        programs: the engine's functions for the training and evaluation commands.
    """

    name: str
    title: str
    path: str
    good_at: str
    networks: tuple[NetworkSpec, ...] = ()
    reads_scribbles: bool = False
    shipped: str = ""
    published: bool = False
    preferred: bool = False
    programs: OfflinePrograms = OfflinePrograms()

    @property
    def needs_weights(self) -> bool:
        return bool(self.networks)
