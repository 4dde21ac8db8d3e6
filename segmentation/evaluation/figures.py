"""Computes the results in a benchmark report from the rows that davisinteractive recorded: AUC, J&F@60s and curves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from segmentation.evaluation.benchmark_run import Protocol, Run, register
from segmentation.evaluation.davis_folder import Sequence
from segmentation.evaluation.package import davisinteractive
from segmentation.evaluation.reliability import measure

METRICS = {"J": "jaccard", "F": "contour", "J_AND_F": "j_and_f"}
SAMPLE = ["sequence", "scribble_idx", "object_id"]
TARGETS = (0.8, 0.9)


def official(
    report: pd.DataFrame, sequences: Mapping[str, Sequence], staged: Path, protocol: Protocol
) -> dict[str, Any]:
    """Return the results of the challenge, by davisinteractive: {metric: {auc, at_60s, curve: {time, value}}}.

    `report` has the rows of all sequences.
    """
    package = davisinteractive()
    register(package.dataset, dict(sequences))
    found = {}
    for metric in METRICS:
        service = package.service.EvaluationService(
            "val",
            davis_root=str(staged),
            max_t=protocol.seconds_an_object,
            max_i=protocol.rounds,
            metric_to_optimize=metric,
        )
        summary = service.summarize_report(report)
        found[metric] = {
            "auc": float(summary["auc"]),
            "at_60s": float(summary["metric_at_threshold"][metric]),
            "curve": {"time": summary["curve"]["time"], "value": summary["curve"][metric]},
        }
    return found


def by_round(report: pd.DataFrame, rounds: int, column: str = "j_and_f") -> list[float]:
    """Return the mean of `column` after each round, over frames and then over (sequence, first scribble, object).

    A missing round has the value of the round before it, or 0 if there is none, as in the challenge.
    """
    samples = report.groupby([*SAMPLE, "interaction"])[column].mean().unstack("interaction")
    samples = samples.reindex(columns=range(1, rounds + 1)).ffill(axis=1).fillna(0.0)
    return [float(value) for value in samples.mean(axis=0)]


def round_area(curve: list[float]) -> float:
    """Return the area under the curve over rounds, 0..1 (R-AUC of CiVOS), which does not depend on the
    machine's speed.
    """
    return float(np.trapezoid(curve) / (len(curve) - 1)) if len(curve) > 1 else float(curve[0])


def rounds_until(curve: list[float], target: float) -> int | None:
    """Return the number of the first round whose value in `curve` is at least `target`, or None if there is none."""
    return next((number for number, value in enumerate(curve, start=1) if value >= target), None)


def read_report(run: Run) -> pd.DataFrame:
    return pd.read_csv(run.out / "report.csv")


def sequence_figures(run: Run, rounds: int) -> dict[str, Any]:
    """Return the results of one engine on one sequence, as written to report.json."""
    report = read_report(run)
    done = json.loads((run.out / "done.json").read_text())
    played = json.loads((run.out / "rounds.json").read_text())
    curves = {name: by_round(report, rounds, column) for name, column in METRICS.items()}
    frames = sum(entry["frames"] for entry in played)
    seconds = sum(entry["seconds"] for entry in played)
    return {
        "by_round": curves["J_AND_F"],
        "j_by_round": curves["J"],
        "f_by_round": curves["F"],
        "seconds_by_round": _mean_by_round(played),
        "seconds_a_frame": seconds / frames if frames else None,
        "frames": done["num_frames"],
        "objects": done["num_objects"],
        "size": done["size"],
        "late_rounds": sum(entry["late"] for entry in played),
        "rounds_until": {str(target): rounds_until(curves["J_AND_F"], target) for target in TARGETS},
        "peak_memory_bytes": done["peak_memory_bytes"],
        "masks_sha256": [entry["masks_sha256"] for entry in played],
    }


def reliability(runs: list[Run]) -> dict[str, Any]:
    """Compare the confidence of every frame and object after every round with its J (`reliability.measure`)."""
    sure, true = [], []
    for run in runs:
        report = read_report(run).sort_values(["scribble_idx", "interaction", "frame", "object_id"])
        played = json.loads((run.out / "rounds.json").read_text())
        for (sample, number), rows in report.groupby(["scribble_idx", "interaction"]):
            own = [each for each in played if (each["sample"], each["round"]) == (sample, number)]
            if own:
                sure.append(np.array(own[0]["confidence"]).ravel())
                true.append(rows["jaccard"].to_numpy())
    return measure(np.concatenate(sure), np.concatenate(true))


def _mean_by_round(played: list[dict[str, Any]]) -> list[float]:
    """Return the seconds of each round, averaged over the runs for the different first scribbles of a sequence."""
    last = max(entry["round"] for entry in played)
    seconds = [[entry["seconds"] for entry in played if entry["round"] == number] for number in range(1, last + 1)]
    return [round(float(np.mean(values)), 3) for values in seconds]


def engine_figures(
    runs: list[Run], sequences: Mapping[str, Sequence], staged: Path, protocol: Protocol
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return all results of one engine, as written to report.json, and the rows of davisinteractive for it."""
    report = pd.concat([read_report(run) for run in runs], ignore_index=True)
    metrics = official(report, sequences, staged, protocol)
    each = {run.sequence: sequence_figures(run, protocol.rounds) for run in runs}
    curve = by_round(report, protocol.rounds)
    seconds = [entry["seconds_by_round"] for entry in each.values()]
    under_test = runs[0].engine
    figures = {
        "auc": metrics["J_AND_F"]["auc"],
        "at_60s": metrics["J_AND_F"]["at_60s"],
        "by_round": curve,
        "seconds_by_round": [
            float(np.mean([s[i] for s in seconds if i < len(s)])) for i in range(max(map(len, seconds)))
        ],
        "sequences": each,
        "engine": under_test.engine,
        "options": under_test.options,
        "metrics": metrics,
        "j_by_round": by_round(report, protocol.rounds, "jaccard"),
        "f_by_round": by_round(report, protocol.rounds, "contour"),
        "r_auc": round_area(curve),
        "confidence": reliability(runs),
        "rounds_until": {str(target): rounds_until(curve, target) for target in TARGETS},
        "seconds_a_frame": float(
            np.mean([e["seconds_a_frame"] for e in each.values() if e["seconds_a_frame"]] or [0.0])
        ),
        "peak_memory_bytes": max(entry["peak_memory_bytes"] for entry in each.values()),
    }
    return figures, report
