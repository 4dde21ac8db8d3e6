"""Tests the measurement of the published systems: it prints tables, and runs each of several engines in a process."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from segmentation.evaluation.measure_engines import papers
from segmentation.evaluation.measure_engines.__main__ import main
from segmentation.evaluation.measure_engines.scene import Measured, Scene

MEASURED = Measured(
    {"round 1, a frame": 0.2, "round 1, its own frame": 0.4},
    {"round 1, a frame": 0.1, "round 1, its own frame": 0.3},
    {"round 1, a frame": 0.8},
    {"round 1, a frame": 5.0},
    2**30,
    0.987,
)


def test_a_row_says_how_many_times_faster_the_engine_is() -> None:
    rows = papers.table(MEASURED, rate=100e9).splitlines()
    assert rows[1].split() == ["round", "1,", "a", "frame", "0.80", "0.200", "4.0x", "0.100", "8.0x", "0.050"]
    assert rows[2].split() == ["round", "1,", "its", "own", "frame", "0.400", "0.300"]
    assert rows[3] == "peak memory of the float32 engine 1.00 GiB; J of bfloat16 masks 0.987"


def test_it_prints_a_table_for_each_number_of_objects(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = []

    def measure(engine: str, scene: Scene, weights: str, clock: Any) -> Measured:
        seen.append((engine, scene.objects, len(scene.frames), weights))
        return MEASURED

    monkeypatch.setattr("segmentation.engines.manet.measurement.measure", measure)
    monkeypatch.setattr(papers, "matrix_rate", lambda *args, **more: 1e11)
    assert main(["papers", "--engine", "manet", "--frames", "1", "--weights", "w"]) == 0
    assert seen == [("manet", 1, 2, "w"), ("manet", 3, 2, "w")]
    assert "three objects over one: round 1, a frame 1.00" in capsys.readouterr().out


def test_several_engines_run_each_in_a_process_and_a_failure_is_the_exit_status(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commands = []

    def run(command: list[str], check: bool) -> subprocess.CompletedProcess[str]:
        commands.append(command[2:])
        return subprocess.CompletedProcess(command, int("ipn" in command))

    monkeypatch.setattr(subprocess, "run", run)
    assert main(["papers", "--engine", "stm", "--engine", "ipn", "--objects", "2", "--cpu-time"]) == 1
    program = ["segmentation.evaluation.measure_engines", "papers", "--engine"]
    rest = ["--frames", "3", "--objects", "2", "--cpu-time"]
    assert commands == [[*program, "stm", *rest], [*program, "ipn", *rest]]
