"""Semi-supervised evaluation: an engine gets the true mask of the first frame and propagates it through the video.

The rules are those of DAVIS-2016 and DAVIS-2017: J and F of every object are means over all frames except the first,
whose mask is given, and the last. The results of a data set are means over the objects of all its sequences. Pixels
that are 255 ("ignore") in the ground truth count as background.
"""

from __future__ import annotations

import json
from collections.abc import Sequence as Many
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from segmentation.evaluation.benchmark_run import EngineUnderTest
from segmentation.evaluation.davis_folder import DavisFolder, FolderError, Sequence, load_sequence
from segmentation.evaluation.stroke import first_strokes
from segmentation.metrics import score
from segmentation.registry import create_engine_session, load_engines
from segmentation.types import IGNORE, Interaction

SCHEMA = 1
FEWEST = 3  # the fewest frames of a sequence, since the first and the last one are left out


@dataclass(frozen=True)
class SemiScore:
    """J and F of each object of a sequence, averaged over its frames."""

    j: tuple[float, ...]
    f: tuple[float, ...]


def run_semi(
    folder: DavisFolder, names: Many[str], engines: Many[EngineUnderTest], out: Path
) -> dict[str, dict[str, Any]]:
    """Evaluate every engine on every sequence, write `out`/semi.json, and return the results by the engine's label.

    Raises:
        FolderError: a sequence cannot be evaluated. All sequences are checked before the first one is run.
    """
    sequences = {name: load_sequence(folder, name) for name in names}
    for sequence in sequences.values():
        _check(sequence)
    found: dict[str, dict[str, Any]] = {}
    for engine in engines:
        bar = tqdm(sequences.items(), desc=engine.label, unit="sequence", dynamic_ncols=True)
        scores = {name: carry_first_mask(engine, sequence) for name, sequence in bar}
        found[engine.label] = _figures(scores)
    out.mkdir(parents=True, exist_ok=True)
    (out / "semi.json").write_text(json.dumps({"schema": SCHEMA, "engines": found}, indent=1))
    return found


def carry_first_mask(engine: EngineUnderTest, sequence: Sequence) -> SemiScore:
    """Run an engine on one sequence and score its masks.

    The first frame is accepted with its true mask, and a round with scribbles on this frame propagates it.
    """
    if engine.plugin:
        load_engines(engine.plugin)
    truth = _decided(sequence)
    session = create_engine_session(
        engine.engine, sequence.frames(), sequence.num_objects, engine.settings, **engine.options
    )
    try:
        session.lock(0, truth[0])
        masks = np.zeros_like(truth)
        for update in session.run_round(Interaction(0, first_strokes(truth[0], sequence.num_objects))):
            masks[update.frame] = update.labels
    finally:
        session.close()
    result = score(truth[1:-1], masks[1:-1], sequence.num_objects)
    return SemiScore(tuple(result.j.mean(axis=0).tolist()), tuple(result.f.mean(axis=0).tolist()))


def semi_table(engines: dict[str, dict[str, Any]]) -> str:
    """Return a table with a line for each sequence of each engine, and a line for the mean over all objects."""
    lines = [f"{'engine':<20} {'sequence':<24} {'J':>6} {'F':>6} {'J&F':>6}"]
    for label, figures in engines.items():
        for name, own in [*figures["sequences"].items(), ("mean over all objects", figures["mean"])]:
            lines.append(f"{label:<20} {name:<24} {own['j']:6.3f} {own['f']:6.3f} {own['j_and_f']:6.3f}")
    return "\n".join(lines)


def _check(sequence: Sequence) -> None:
    if sequence.num_frames < FEWEST:
        raise FolderError(f"{sequence.name}: {sequence.num_frames} frames, --semi needs at least {FEWEST}")
    if not (_decided(sequence)[0] > 0).any():
        raise FolderError(f"{sequence.name}: the mask of its first frame is empty, so --semi has nothing to give")


def _decided(sequence: Sequence) -> NDArray[np.uint8]:
    return np.where(sequence.truth == IGNORE, 0, sequence.truth).astype(np.uint8)


def _figures(scores: dict[str, SemiScore]) -> dict[str, Any]:
    sequences = {name: _means(own.j, own.f) | {"objects": len(own.j)} for name, own in scores.items()}
    everything = [own.j for own in scores.values()], [own.f for own in scores.values()]
    return {"sequences": sequences, "mean": _means(*(sum(part, ()) for part in everything))}


def _means(j: tuple[float, ...], f: tuple[float, ...]) -> dict[str, float]:
    mean_j, mean_f = float(np.mean(j)), float(np.mean(f))
    return {"j": mean_j, "f": mean_f, "j_and_f": (mean_j + mean_f) / 2}
