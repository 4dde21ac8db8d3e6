"""Semi-supervised evaluation: an engine gets the true mask of the first frame and propagates it through the video.

The rules are those of DAVIS-2016 and DAVIS-2017: J and F of every object are means over all frames except the first,
whose mask is given, and the last. The results of a data set are means over the objects of all its sequences. Pixels
that are 255 ("ignore") in the ground truth count as background.

With a disturbance (module `disturbance`) the middle frame is replaced by one that does not show the objects. It is not
scored, and J of the frames before and after it is reported too.
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
from segmentation.evaluation.davis_folder import DavisFolder, FolderError, Sequence, usable_sequences
from segmentation.evaluation.disturbance import check_disturbance, disturbed, middle
from segmentation.evaluation.stroke import first_strokes
from segmentation.metrics import score
from segmentation.registry import create_engine_session, load_engines
from segmentation.types import IGNORE, FrameSource, Interaction

SCHEMA = 1
FEWEST = 3  # the fewest frames of a sequence, since the first and the last one are left out
FEWEST_DISTURBED = 5  # then one frame is scored on each side of the one that is replaced


@dataclass(frozen=True)
class SemiScore:
    """J and F of each object of a sequence, averaged over its frames.

    With a disturbance, `before` and `after` are J of each object in the frames before and after it, otherwise empty.
    """

    j: tuple[float, ...]
    f: tuple[float, ...]
    before: tuple[float, ...] = ()
    after: tuple[float, ...] = ()


def run_semi(
    folder: DavisFolder,
    names: Many[str],
    engines: Many[EngineUnderTest],
    out: Path,
    disturbance: str | None = None,
    only_these: bool = True,
) -> dict[str, Any]:
    """Evaluate every engine on every sequence, write the report to `out`/semi.json, and return it.

    Its part "engines" has the results by the engine's label, and "left_out" the reason by the name of each sequence
    that was not evaluated.

    Args:
        disturbance: one of `disturbance.DISTURBANCES`, which replaces the middle frame; None: no frame is replaced.
        only_these: refuse the whole run if one of the sequences cannot be evaluated. Otherwise the others are run.

    Raises:
        FolderError: a sequence, or without `only_these` every sequence, cannot be evaluated. All sequences are checked
            before the first one is run.
    """
    sequences, left_out = usable_sequences(
        folder, names, lambda sequence: _check(sequence, FEWEST_DISTURBED if disturbance else FEWEST)
    )
    if only_these and left_out:
        raise FolderError(next(iter(left_out.values())))
    if disturbance:
        check_disturbance(disturbance, sequences)
    found: dict[str, dict[str, Any]] = {}
    for engine in engines:
        scores = {}
        for name, sequence in tqdm(sequences.items(), desc=engine.label, unit="sequence", dynamic_ncols=True):
            # Open frames keep a cache, so those of one sequence are opened at a time.
            if disturbance:
                frames = disturbed(disturbance, name, sequences)
                scores[name] = carry_first_mask(engine, sequence, frames, middle(sequence))
            else:
                scores[name] = carry_first_mask(engine, sequence, sequence.frames())
        found[engine.label] = _figures(scores)
    out.mkdir(parents=True, exist_ok=True)
    report = {"schema": SCHEMA, "disturbance": disturbance, "engines": found, "left_out": left_out}
    (out / "semi.json").write_text(json.dumps(report, indent=1))
    return report


def carry_first_mask(
    engine: EngineUnderTest, sequence: Sequence, frames: FrameSource, replaced: int | None = None
) -> SemiScore:
    """Run an engine on the frames of one sequence and score its masks, but not that of the frame `replaced`.

    The first frame is accepted with its true mask, and a round with scribbles on this frame propagates it.
    """
    if engine.plugin:
        load_engines(engine.plugin)
    truth = _decided(sequence)
    session = create_engine_session(engine.engine, frames, sequence.num_objects, engine.settings, **engine.options)
    try:
        session.lock(0, truth[0])
        masks = np.zeros_like(truth)
        for update in session.run_round(Interaction(0, first_strokes(truth[0], sequence.num_objects))):
            masks[update.frame] = update.labels
    finally:
        session.close()
    result = score(truth[1:-1], masks[1:-1], sequence.num_objects)
    if replaced is None:
        return SemiScore(_mean_by_object(result.j), _mean_by_object(result.f))
    j, f = (np.delete(part, replaced - 1, axis=0) for part in (result.j, result.f))
    before, after = j[: replaced - 1], j[replaced - 1 :]
    return SemiScore(_mean_by_object(j), _mean_by_object(f), _mean_by_object(before), _mean_by_object(after))


def semi_table(engines: dict[str, dict[str, Any]]) -> str:
    """Return a table with a line for each sequence of each engine, and a line for the mean over all objects."""
    columns = {"j": "J", "f": "F", "j_and_f": "J&F"}
    if any("j_after" in figures["mean"] for figures in engines.values()):
        columns |= {"j_before": "J before", "j_after": "J after"}
    titles = " ".join(f"{title:>8}" for title in columns.values())
    lines = [f"{'engine':<20} {'sequence':<24} {titles}"]
    for label, figures in engines.items():
        for name, own in [*figures["sequences"].items(), ("mean over all objects", figures["mean"])]:
            values = " ".join(f"{own[key]:8.3f}" for key in columns)
            lines.append(f"{label:<20} {name:<24} {values}")
    return "\n".join(lines)


def _mean_by_object(scores: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(scores.mean(axis=0).tolist())


def _check(sequence: Sequence, fewest: int) -> None:
    if sequence.num_frames < fewest:
        frames = "1 frame" if sequence.num_frames == 1 else f"{sequence.num_frames} frames"
        raise FolderError(f"{sequence.name}: {frames}, --semi needs at least {fewest}")
    if not (_decided(sequence)[0] > 0).any():
        raise FolderError(f"{sequence.name}: the mask of its first frame is empty, so --semi has nothing to give")


def _decided(sequence: Sequence) -> NDArray[np.uint8]:
    return np.where(sequence.truth == IGNORE, 0, sequence.truth).astype(np.uint8)


def _figures(scores: dict[str, SemiScore]) -> dict[str, Any]:
    sequences = {name: _means(own) | {"objects": len(own.j)} for name, own in scores.items()}
    fields = ("j", "f", "before", "after")
    every = SemiScore(*(sum((getattr(own, field) for own in scores.values()), ()) for field in fields))
    return {"sequences": sequences, "mean": _means(every)}


def _means(own: SemiScore) -> dict[str, float]:
    mean_j, mean_f = float(np.mean(own.j)), float(np.mean(own.f))
    found = {"j": mean_j, "f": mean_f, "j_and_f": (mean_j + mean_f) / 2}
    if own.before:
        found |= {"j_before": float(np.mean(own.before)), "j_after": float(np.mean(own.after))}
    return found
