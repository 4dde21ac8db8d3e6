"""Reads plans of training runs: the TOML files `segmentation/training/plans/<engine>-<config>.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

from segmentation.training.clips import ClipConfig


@dataclass(frozen=True)
class Stage:
    """A part of a training run with its own settings for clips and batches. The stage ends when the fraction `until` of
    the run is done.
    """

    until: float
    batch: int
    clips: ClipConfig


@dataclass(frozen=True)
class Plan:
    """All settings that determine the result of a training run, except for the data folder, the device and the time."""

    engine: str
    seed: int
    steps: int  # steps of the run; ignored with --hours
    learning_rate: float
    weight_decay: float
    warmup: int  # steps in which the learning rate increases from 0
    average: float  # decay of the exponential moving average of the weights
    clip_gradient: float
    validation: tuple[str, ...]  # names of videos that are used for validation and not for training
    exclude: tuple[str, ...]  # folders of the data folder that are not used
    stages: tuple[Stage, ...]
    network: dict[str, Any] = field(default_factory=dict)  # arguments of the network's configuration
    objective: dict[str, Any] = field(default_factory=dict)  # arguments of the objective
    uses: int = 2  # uses of each batch (`loop.echoed`); more where making a batch takes longer than a step

    def stage(self, progress: float) -> Stage:
        """Return the stage in which the run is when its fraction `progress`, 0..1, is done."""
        return next((stage for stage in self.stages if progress < stage.until), self.stages[-1])


def load_plan(engine: str, config: str) -> Plan:
    """Load the plan `config` of an engine. `config` may also be the path of a TOML file.

    Raises ValueError if there is no such plan (for a name, the message lists the known plans), or if it is wrong.
    """
    given = Path(config)
    if given.suffix == ".toml":
        if not given.is_file():
            raise ValueError(f"--config: {config} does not exist")
        return parse_plan(given.read_text())
    folder = files("segmentation.training").joinpath("plans")
    named = folder.joinpath(f"{engine}-{config}.toml")
    if not named.is_file():
        known = sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".toml"))
        own = [name.removeprefix(f"{engine}-") for name in known if name.startswith(f"{engine}-")]
        raise ValueError(f"{engine} has no plan {config}; known are {', '.join(own or known)}")
    return parse_plan(named.read_text())


def parse_plan(text: str) -> Plan:
    """Parse the TOML text of a plan.

    Raises ValueError if it is not TOML, for an unknown or missing field, and if there are no stages or the last one
    does not end with the run.
    """
    data = tomllib.loads(text)
    tables = data.pop("stages", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ValueError("stages: each must be a table [[stages]]")
    stages = [_stage(table, f"stage {number}") for number, table in enumerate(tables, 1)]
    if not stages or stages[-1].until != 1.0:
        raise ValueError("stages: there must be at least one, and the last must have until = 1.0")
    for name in ("validation", "exclude"):
        data[name] = tuple(data.get(name, ()))
    known = _known(Plan, data, "plan")
    missing = {f.name for f in fields(Plan)} - set(known) - {"stages", "network", "objective", "uses"}
    if missing:
        raise ValueError(f"plan: {', '.join(sorted(missing))} missing")
    return Plan(stages=tuple(stages), **known)


def _stage(values: dict[str, Any], where: str) -> Stage:
    """Return a stage of a plan. Raises ValueError for an unknown or missing field; the message begins with `where`."""
    clips = values.pop("clips", {})
    if not isinstance(clips, dict):
        raise ValueError(f"{where}: clips must be a table")
    known = _known(Stage, values, where)
    missing = {f.name for f in fields(Stage)} - set(known) - {"clips"}
    if missing:
        raise ValueError(f"{where}: {', '.join(sorted(missing))} missing")
    return Stage(clips=ClipConfig(**_known(ClipConfig, clips, f"{where}, clips")), **known)


def _known(cls: type, values: dict[str, Any], where: str) -> dict[str, Any]:
    unknown = set(values) - {f.name for f in fields(cls)}
    if unknown:
        raise ValueError(f"{where}: unknown {', '.join(sorted(unknown))}")
    return values
