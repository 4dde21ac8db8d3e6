"""What the rest of the software knows of an engine: each engine's folder has a `spec.py` that says it.

Nothing here imports torch or an engine, so that engines and their weights can be listed by a process that never
computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class NetworkSpec:
    """A network that needs a checkpoint.

    Args:
        name: names the network in commands and its checkpoint, `<name>.safetensors` or `<name>.pth`.
        title: what a person reads.
        path: dotted path of the network's class, "package.module:Class".
        config: dotted path of the class of its configuration.
        folder: the engine's folder in `segmentation/engines`, whose `weights` folder holds the weights that ship.
        source: where published weights come from, and their terms.
        official: file name of the published checkpoint, which is looked for as well.
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
    """Where an engine's own parts of the offline commands are, as dotted paths "package.module:name".

    They are in the engine's folder and are imported when a command needs them.

    Args:
        objectives: the class that trains the engine, by the `engine` of its plans (`python -m segmentation.training`).
        golden: the function that computes the golden arrays, by system (`python -m segmentation.evaluation.golden`).
        measure: a function (engine, scene, weights, clock) -> `Measured` for `measure_engines papers`.
        shipped_parts: a function that returns the parts of its shipped networks for `measure_engines runtimes`.
        paper_parts: the same for networks of the paper's size.
    """

    objectives: Mapping[str, str] = field(default_factory=dict, hash=False)
    golden: Mapping[str, str] = field(default_factory=dict, hash=False)
    measure: str = ""
    shipped_parts: str = ""
    paper_parts: str = ""


@dataclass(frozen=True)
class EngineSpec:
    """An engine as menus, commands and the registry know it.

    Args:
        name: names the engine in commands, stored rounds and the registry.
        title: what a person reads.
        path: dotted path of the engine's class, "package.module:Class". It is imported when a session is opened.
        good_at: one or two sentences on what to choose it for.
        networks: the networks that it computes with. A session opens only where all of their checkpoints are found.
        reads_scribbles: whether its networks segment the frame that was drawn on. Such an engine has the option
            `interaction`, by which STAR's cutter can segment that frame in place of the engine's own network.
        shipped: what to tell a person while the weights in use are those that ship with Maskwright.
        published: whether it follows a paper by others. Menus list these engines apart, as research.
        preferred: whether this is the engine that "default" stands for.
        programs: where its own parts of the commands for training, evaluation and measuring are.
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
