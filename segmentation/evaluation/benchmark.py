"""Runs the DAVIS interactive benchmark for engines and sequences, skips finished runs, and writes the report."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import shutil
from collections.abc import Sequence as Many
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from segmentation.evaluation.benchmark_run import EngineUnderTest, Protocol, Run, run_in_child
from segmentation.evaluation.davis_folder import DavisFolder, FolderError, Sequence, usable_sequences
from segmentation.evaluation.package import davisinteractive, make_robot
from segmentation.formats.label_png import write_labels
from segmentation.formats.scribble_json import write_scribbles

SCHEMA = 1


class BenchmarkFailed(ValueError):
    """An engine raised an exception in a run of the benchmark, or its process was killed; the message says which."""


def run(
    folder: DavisFolder,
    names: Many[str],
    engines_under_test: Many[EngineUnderTest],
    protocol: Protocol,
    out: Path,
    only_these: bool = True,
) -> dict[str, Any]:
    """Run every engine on every sequence, write the reports into the folder `out`, and return the report.

    The reports are report.json, report.html and one CSV file for each engine. The subfolder davis has what the runs
    read, and the subfolder runs has their results.

    Args:
        only_these: refuse the whole run if one of the sequences cannot be evaluated. Otherwise such a sequence is named
            in the report ("left_out": name -> reason), and the others are run.

    Raises:
        FolderError: the folder or a sequence cannot be evaluated, or `out` cannot be written. This is checked before
            the first round.
        BenchmarkFailed: an engine raised an exception, or its process was killed.
        BenchmarkPackageMissing: davisinteractive is not installed.
    """
    davisinteractive()
    _make_writable(out)
    sequences, left_out = usable_sequences(folder, names)
    if only_these and left_out:
        raise FolderError(next(iter(left_out.values())))
    staged = stage(sequences, out / "davis")
    runs = [
        Run(c, name, folder, staged, protocol, out / "runs" / _file_name(c.label) / name)
        for c in engines_under_test
        for name in sequences
    ]
    _run_all(runs, protocol)
    return _report(runs, engines_under_test, sequences, staged, protocol, out, left_out)


def stage(sequences: dict[str, Sequence], root: Path) -> Path:
    """Create the folder that the package davisinteractive reads: masks with the ids 1..N, and scribbles.

    If a sequence has no stored scribbles, the robot (the simulated user) draws the first one.
    """
    for name, sequence in sequences.items():
        masks = root / "Annotations" / "480p" / name
        if masks.exists():
            shutil.rmtree(masks)
        masks.mkdir(parents=True)
        for index, labels in enumerate(sequence.truth):
            write_labels(masks / f"{index:05d}.png", labels)
        scribbles = root / "Scribbles" / name
        scribbles.mkdir(parents=True, exist_ok=True)
        for number, path in enumerate(sequence.scribble_files, start=1):
            write_scribbles(scribbles / f"{number:03d}.json", sequence.scribbles(path), name, sequence.num_frames)
        if not sequence.scribble_files and not (scribbles / "001.json").exists():
            (scribbles / "001.json").write_text(json.dumps(first_scribble(sequence)))
    return root


def first_scribble(sequence: Sequence) -> dict[str, Any]:
    """Let the robot draw the first scribble of a sequence, on the frame where the objects are largest.

    Raises FolderError if the objects are too small for it.
    """
    found = make_robot().interact(
        sequence.name,
        np.zeros_like(sequence.truth),
        np.where(sequence.truth == 255, 0, sequence.truth),
        nb_objects=sequence.num_objects,
        frame=sequence.largest_frame(),
    )
    if not any(found["scribbles"]):
        raise FolderError(f"{sequence.name}: its objects are too small for the robot to scribble on")
    return dict(found)


def _run_all(runs: list[Run], protocol: Protocol) -> None:
    waiting = [run for run in runs if not run.finished()]
    spawn = multiprocessing.get_context("spawn")
    with tqdm(total=len(waiting) * protocol.rounds, unit="round", desc="benchmark", dynamic_ncols=True) as bar:
        if len(waiting) < len(runs):
            bar.write(f"{len(runs) - len(waiting)} of {len(runs)} runs were finished before and are kept")
        for number, run in enumerate(waiting, start=1):
            bar.set_postfix_str(f"{run.engine.label} on {run.sequence}")
            receiving, sending = spawn.Pipe(duplex=False)
            child = spawn.Process(target=run_in_child, args=(run, sending), daemon=True)
            child.start()
            sending.close()
            _follow(run, receiving, bar)
            child.join()
            bar.update(number * protocol.rounds - bar.n)  # a sequence may end before its last round, at its time limit


def _follow(run: Run, receiving: Any, bar: Any) -> None:
    while True:
        try:
            kind, value = receiving.recv()
        except EOFError:
            raise BenchmarkFailed(f"{run.engine.label} on {run.sequence}: its process was killed") from None
        if kind == "failed":
            raise BenchmarkFailed(value)
        if kind == "done":
            return
        bar.update(1)


def _report(
    runs: list[Run],
    engines_under_test: Many[EngineUnderTest],
    sequences: dict[str, Sequence],
    staged: Path,
    protocol: Protocol,
    out: Path,
    left_out: dict[str, str],
) -> dict[str, Any]:
    from segmentation.evaluation.figures import engine_figures
    from segmentation.evaluation.report_page import write_page

    engines = {}
    for under_test in engines_under_test:
        own = [run for run in runs if run.engine is under_test]
        engines[under_test.label], rows = engine_figures(own, sequences, staged, protocol)
        rows.to_csv(out / f"result_{_file_name(under_test.label)}.csv")
    report = {
        "engines": engines,
        "schema": SCHEMA,
        "protocol": {
            "rounds": protocol.rounds,
            "max_time": protocol.max_time,
            "metric": protocol.metric,
            "next_frame": protocol.next_frame,
            "clock": protocol.clock,
        },
        "machine": machine(),
        "left_out": left_out,
    }
    (out / "report.json").write_text(json.dumps(report, indent=1))
    write_page(out / "report.html", report, runs, sequences)
    return report


def machine() -> dict[str, Any]:
    """Describe this machine for the report: processor, number of cores, and versions of the libraries."""
    versions = {}
    for name in ("maskwright", "torch", "numpy", "opencv-python", "davisinteractive"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "absent"
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": versions,
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _file_name(label: str) -> str:
    return "".join(c if c.isalnum() or c in "-_.@" else "_" for c in label)


def _make_writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".probe"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise FolderError(f"{out} cannot be written: {error.strerror}") from None
