"""One engine on one sequence, scribbled by the challenge's robot, in a process of its own (so that memory is its own).

The session protocol, the clock, the time limit and the rows of the report are davisinteractive's. A run leaves a
folder: report.csv (the package's rows), rounds.json, masks/%05d.png of the last round, and done.json, written last.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.engine import Engine, EngineSettings
from segmentation.evaluation.davis_folder import DavisFolder, Sequence, load_sequence
from segmentation.evaluation.memory import PeakMemory
from segmentation.evaluation.package import davisinteractive
from segmentation.formats.label_png import write_labels
from segmentation.formats.scribble_json import parse_scribbles
from segmentation.registry import create_engine_session, load_engines
from segmentation.types import Interaction

Masks = NDArray[np.uint8]  # [T, H, W]


@dataclass(frozen=True)
class Protocol:
    """How the robot plays: rounds, seconds for each object and round (None: no limit), metric that it looks at."""

    rounds: int = 8
    max_time: int | None = 30
    metric: str = "J_AND_F"

    @property
    def seconds_an_object(self) -> int | None:
        """Time of a whole sample for each of its objects: what the package calls max_time. Challenge: 8 x 30 s."""
        return self.rounds * self.max_time if self.max_time else None


@dataclass(frozen=True)
class EngineUnderTest:
    """An engine with its settings; `label` is its name in the report."""

    label: str
    engine: str
    settings: EngineSettings = field(default_factory=EngineSettings)
    options: dict[str, Any] = field(default_factory=dict)
    plugin: str | None = None  # a module with further engines (registry.load_engines)


@dataclass(frozen=True)
class Run:
    """Everything that a child process needs to know."""

    engine: EngineUnderTest
    sequence: str
    folder: DavisFolder
    staged: Path  # root in the layout and naming that the package expects, with scribbles
    protocol: Protocol
    out: Path

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What must be equal for a finished run to be kept."""
        return json.loads(
            json.dumps(
                {
                    "engine": asdict(self.engine),
                    "protocol": asdict(self.protocol),
                    "root": str(self.folder.root.resolve()),
                    "resolution": self.folder.resolution,
                }
            )
        )

    def finished(self) -> bool:
        try:
            return json.loads((self.out / "done.json").read_text())["run"] == self.fingerprint
        except (OSError, ValueError, KeyError):
            return False


def run_in_child(run: Run, connection: Connection) -> None:
    """Entry of the child process: sends ("round", n) as rounds end, then ("done", None) or ("failed", text)."""
    try:
        execute(run, lambda number: connection.send(("round", number)))
    except ValueError as error:  # bad input or missing weights: the sentence is all that a person needs
        connection.send(("failed", str(error)))
    except Exception as error:
        detail = traceback.format_exc()
        connection.send(("failed", f"{run.engine.label} on {run.sequence}: {error}\n{detail}"))
    else:
        connection.send(("done", None))


def execute(run: Run, on_round: Callable[[int], None]) -> None:
    """Play all rounds of `run` and write its folder. Raises what the engine raises."""
    if run.out.exists():
        shutil.rmtree(run.out)
    run.out.mkdir(parents=True)
    if run.engine.plugin:
        load_engines(run.engine.plugin)
    sequence = load_sequence(run.folder, run.sequence)
    rounds: list[dict[str, Any]] = []
    sample = number = 0  # a sample is one of the sequence's first scribbles
    masks = np.zeros_like(sequence.truth)
    with _package_session(run, sequence) as session:
        memory = PeakMemory()
        engine: Engine | None = None
        started = time.monotonic()
        for _, drawn, first in session.scribbles_iterator(only_last=True):
            if first:
                if engine is not None:
                    engine.close()
                engine = _open(run.engine, sequence)
                masks = np.zeros_like(sequence.truth)
                started = time.monotonic()
                sample, number = sample + 1, 0
            assert engine is not None
            before = time.monotonic()
            memory.start()
            interactions = parse_scribbles(drawn, sequence.num_frames)
            deadline = _deadline(run.protocol, sequence, started)
            frames = sum(_run(engine, interaction, masks, deadline) for interaction in interactions)
            seconds = time.monotonic() - before
            memory.stop()
            late = deadline is not None and time.monotonic() > deadline
            session.submit_masks(masks.astype(np.int64))
            number += 1
            entry = {"sample": sample, "round": number, "frames": frames, "seconds": seconds, "late": late}
            rounds.append(entry | _drawn_and_got(interactions, masks))
            on_round(len(rounds))
        report = session.get_report()
    report.to_csv(run.out / "report.csv", index=False)
    _write(run, sequence, masks, rounds, memory.bytes)


def _package_session(run: Run, sequence: Sequence) -> Any:
    """The challenge's session over this one sequence, whatever the package's own tables say of it."""
    package = davisinteractive()
    register(package.dataset, {sequence.name: sequence})
    protocol = run.protocol
    return package.session.DavisInteractiveSession(
        host="localhost",
        user_key="maskwright",  # else the package asks for the name of the user who runs it
        davis_root=str(run.staged),
        subset="val",
        max_time=protocol.seconds_an_object,
        max_nb_interactions=protocol.rounds,
        metric_to_optimize=protocol.metric,
        report_save_dir=str(run.out / "package"),
    )


def register(dataset: Any, sequences: dict[str, Sequence]) -> None:
    """Tell the package's class Davis which sequences there are, in place of DAVIS-2017's table."""
    dataset.RESOLUTION = "480p"  # the name of the staged folder, whatever the size of its masks
    dataset.sets["val"] = list(sequences)
    for name, sequence in sequences.items():
        dataset.dataset[name] = {
            "name": name,
            "num_frames": sequence.num_frames,
            "num_objects": sequence.num_objects,
            "num_scribbles": max(1, len(sequence.scribble_files)),
            "image_size": list(sequence.size),
            "set": "val",
        }


def _open(engine: EngineUnderTest, sequence: Sequence) -> Engine:
    return create_engine_session(
        engine.engine, sequence.frames(), sequence.num_objects, engine.settings, **engine.options
    )


def _deadline(protocol: Protocol, sequence: Sequence, started: float) -> float | None:
    """The package drops what is submitted after this moment: no use in computing on."""
    limit = protocol.seconds_an_object
    return started + limit * sequence.num_objects if limit else None


def _run(engine: Engine, interaction: Interaction, masks: Masks, deadline: float | None) -> int:
    """Run one round into `masks` in place; frames computed."""
    count = 0
    updates = engine.run_round(interaction)
    for update in updates:
        masks[update.frame] = update.labels
        count += 1
        if deadline is not None and time.monotonic() > deadline:
            updates.close()  # type: ignore[attr-defined]
            break
    return count


def _drawn_and_got(interactions: tuple[Interaction, ...], masks: Masks) -> dict[str, Any]:
    """The scribbles of a round, and a digest that shows whether two runs gave the same masks."""
    drawn = [
        {
            "frame": interaction.frame,
            "scribbles": [{"object_id": s.object_id, "path": s.path.tolist()} for s in interaction.scribbles],
        }
        for interaction in interactions
    ]
    return {"interactions": drawn, "masks_sha256": hashlib.sha256(masks.tobytes()).hexdigest()}


def _write(run: Run, sequence: Sequence, masks: Masks, rounds: list[dict[str, Any]], peak_memory: int) -> None:
    (run.out / "masks").mkdir()
    for index, labels in enumerate(masks):
        write_labels(run.out / "masks" / f"{index:05d}.png", labels)
    (run.out / "rounds.json").write_text(json.dumps(rounds))
    done = {
        "run": run.fingerprint,
        "num_objects": sequence.num_objects,
        "num_frames": sequence.num_frames,
        "size": sequence.size,
        "peak_memory_bytes": peak_memory,  # above what the robot and the truth take
    }
    (run.out / "done.json").write_text(json.dumps(done, indent=1))
