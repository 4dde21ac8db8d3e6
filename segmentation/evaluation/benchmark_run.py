"""Evaluates one engine on one sequence with the robot (the simulated user of the DAVIS challenge).

Each run has a separate process, so that its peak memory can be measured.

The package davisinteractive defines the protocol of a session, the clock, the time limit and the rows of the report. A
run writes a folder with report.csv (these rows), rounds.json, masks/%05d.png of the last round, and at last done.json.
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
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.engine import Engine, EngineSettings
from segmentation.evaluation.advice import advised_frame
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
    """The rules of a benchmark: number of rounds, seconds for each object and round (None = no limit), how the robot
    chooses the frame to correct, and by which clock seconds count.

    `next_frame` is "worst" for the frame with the lowest `metric`, which the robot finds with the ground truth, or
    "advised" for the frame that `advice.advised_frame` chooses by the engine's confidence.

    `clock` is "wall", or "processor" for the processor time of all threads of the run, which other programs on the
    machine do not change.
    """

    rounds: int = 8
    max_time: int | None = 30
    metric: str = "J_AND_F"
    next_frame: str = "worst"
    clock: str = "wall"

    def now(self) -> float:
        """Return the time of `clock` in seconds, counted from an arbitrary start."""
        return time.process_time() if self.clock == "processor" else time.monotonic()

    @property
    def seconds_an_object(self) -> int | None:
        """Time limit in seconds for each object over all rounds (`max_time` of davisinteractive), or None for no limit.

        The challenge allows 8 x 30 s.
        """
        return self.rounds * self.max_time if self.max_time else None


@dataclass(frozen=True)
class EngineUnderTest:
    """An engine to be evaluated, with its weights and options. `label` is its name in the report."""

    label: str
    engine: str
    settings: EngineSettings = field(default_factory=EngineSettings)
    options: dict[str, Any] = field(default_factory=dict)
    plugin: str | None = None  # a module with further engines (registry.load_engines)


@dataclass(eq=False)
class Answers:
    """The results of an engine so far: masks [T, H, W] and confidence [T, N].

    `asked` has the frames that were drawn on, or that the engine advised to draw on, so far.
    """

    masks: Masks
    confidence: NDArray[np.float64]
    asked: set[int] = field(default_factory=set)

    @classmethod
    def none_for(cls, sequence: Sequence) -> Answers:
        """Return the results before the first round: empty masks with confidence 0."""
        return cls(np.zeros_like(sequence.truth), np.zeros((sequence.num_frames, sequence.num_objects)))

    def candidates(self, protocol: Protocol) -> list[int] | None:
        """Return the frames among which the robot may choose the next one to correct; None stands for all.

        A frame that the engine's confidence advises is the only one, and is added to `asked`.
        """
        if protocol.next_frame == "worst":
            return None
        frame = advised_frame(self.confidence, self.asked)
        self.asked.add(frame)
        return [frame]


@dataclass(frozen=True)
class Run:
    """The settings of a run of one engine on one sequence, which are passed to its child process."""

    engine: EngineUnderTest
    sequence: str
    folder: DavisFolder
    staged: Path  # folder with the sequences in the layout that davisinteractive reads (see `benchmark.stage`)
    protocol: Protocol
    out: Path

    @property
    def fingerprint(self) -> dict[str, Any]:
        """The settings of the run as a dictionary. The results of a finished run with equal settings are reused."""
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
    """Execute a run; this is the main function of the child process.

    It sends ("round", n) after each round, and then ("done", None) or ("failed", message).
    """
    try:
        execute(run, lambda number: connection.send(("round", number)))
    except ValueError as error:  # of wrong input or missing weights only the message is shown, without a traceback
        connection.send(("failed", str(error)))
    except Exception as error:
        detail = traceback.format_exc()
        connection.send(("failed", f"{run.engine.label} on {run.sequence}: {error}\n{detail}"))
    else:
        connection.send(("done", None))


def execute(run: Run, on_round: Callable[[int], None]) -> None:
    """Run all rounds and write the results into the run's folder. Exceptions of the engine are not caught."""
    if run.out.exists():
        shutil.rmtree(run.out)
    run.out.mkdir(parents=True)
    if run.engine.plugin:
        load_engines(run.engine.plugin)
    sequence = load_sequence(run.folder, run.sequence)
    rounds: list[dict[str, Any]] = []
    sample = number = 0  # each stored first scribble of the sequence starts a new sample
    answers = Answers.none_for(sequence)
    now = run.protocol.now
    with _package_session(run, sequence) as session:
        memory = PeakMemory()
        engine: Engine | None = None
        started = now()
        for _, drawn, first in session.scribbles_iterator(only_last=True):
            if first:
                if engine is not None:
                    engine.close()
                engine = _open(run.engine, sequence)
                answers = Answers.none_for(sequence)
                started = now()
                sample, number = sample + 1, 0
            assert engine is not None
            before = now()
            memory.start()
            interactions = parse_scribbles(drawn, sequence.num_frames)
            deadline = _deadline(run.protocol, sequence, started)
            frames = sum(_run(engine, interaction, answers, deadline, now) for interaction in interactions)
            seconds = now() - before
            memory.stop()
            late = deadline is not None and now() > deadline
            session.submit_masks(answers.masks.astype(np.int64), answers.candidates(run.protocol))
            number += 1
            entry = {"sample": sample, "round": number, "frames": frames, "seconds": seconds, "late": late}
            rounds.append(entry | _drawn_and_got(interactions, answers))
            on_round(len(rounds))
        report = session.get_report()
    report.to_csv(run.out / "report.csv", index=False)
    _write(run, sequence, answers.masks, rounds, memory.bytes)


def _package_session(run: Run, sequence: Sequence) -> Any:
    """Open a session of davisinteractive for this one sequence, which need not be one of DAVIS-2017."""
    package = davisinteractive()
    register(package.dataset, {sequence.name: sequence})
    protocol = run.protocol
    module: Any = package.session
    module.time = SimpleNamespace(time=protocol.now)  # its clock for durations and the time limit
    return module.DavisInteractiveSession(
        host="localhost",
        user_key="maskwright",  # otherwise the package reads the user's name from the system
        davis_root=str(run.staged),
        subset="val",
        max_time=protocol.seconds_an_object,
        max_nb_interactions=protocol.rounds,
        metric_to_optimize=protocol.metric,
        report_save_dir=str(run.out / "package"),
    )


def register(dataset: Any, sequences: dict[str, Sequence]) -> None:
    """Replace the list of DAVIS-2017's sequences in davisinteractive's class Davis, `dataset`, by `sequences`."""
    dataset.RESOLUTION = "480p"  # the name of the staged folder; the masks may have any size
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
    """Return the time at which to stop, or None for no limit. davisinteractive ignores masks submitted after it."""
    limit = protocol.seconds_an_object
    return started + limit * sequence.num_objects if limit else None


def _run(
    engine: Engine, interaction: Interaction, answers: Answers, deadline: float | None, now: Callable[[], float]
) -> int:
    """Run one round, write its masks and confidence into `answers`, and return the number of computed frames.

    The round ends early after `deadline`, a time of the clock `now`; None sets no limit.
    """
    count = 0
    answers.asked.add(interaction.frame)
    updates = engine.run_round(interaction)
    for update in updates:
        answers.masks[update.frame] = update.labels
        answers.confidence[update.frame] = update.confidence
        count += 1
        if deadline is not None and now() > deadline:
            updates.close()  # type: ignore[attr-defined]
            break
    return count


def _drawn_and_got(interactions: tuple[Interaction, ...], answers: Answers) -> dict[str, Any]:
    """Return the scribbles of a round, its confidence, and a digest of its masks, by which two runs can be compared."""
    drawn = [
        {
            "frame": interaction.frame,
            "scribbles": [{"object_id": s.object_id, "path": s.path.tolist()} for s in interaction.scribbles],
        }
        for interaction in interactions
    ]
    digest = hashlib.sha256(answers.masks.tobytes()).hexdigest()
    return {"interactions": drawn, "confidence": answers.confidence.round(4).tolist(), "masks_sha256": digest}


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
        "peak_memory_bytes": peak_memory,  # without the memory of the robot and the ground truth
    }
    (run.out / "done.json").write_text(json.dumps(done, indent=1))
