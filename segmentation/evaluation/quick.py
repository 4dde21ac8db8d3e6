"""Quickly evaluates an engine: J of each sequence after a first scribble and after simulated corrections.

    python -m segmentation.evaluation.quick ROOT [--engine flow] [--sequences dog libby] [--corrections 2]

ROOT is a folder in the DAVIS layout. The first scribble is the stored one (Scribbles/<sequence>/001.json) or, if none
is stored, a scribble through the middle of each object on the frame where the objects are largest. Each correction is
one scribble through the largest wrong region of the worst frame that has no scribble yet. This does not need the
package davisinteractive; for numbers to publish, use its robot (`python -m segmentation.evaluation`). The exit status
is 1 if the input cannot be used or the last J is below that of the option `--at-least J`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmentation.engine import Engine, EngineSettings
from segmentation.evaluation.davis_folder import DavisFolder, FolderError, load_sequence, usable_sequences
from segmentation.evaluation.davis_folder import Sequence as Clip
from segmentation.evaluation.stroke import first_strokes
from segmentation.metrics import jaccard
from segmentation.registry import create_engine_session, load_engines
from segmentation.simulated_user import correction
from segmentation.types import IGNORE, Interaction


@dataclass(frozen=True)
class RoundResult:
    """The results of a round on a sequence.

    `j` is the mean J over frames and objects; `on_frame` is the J of the drawn frame before and after the round.
    """

    frame: int
    j: float
    on_frame: tuple[float, float]
    first_mask: float  # seconds until the mask of the drawn frame
    frames: int  # number of masks that the round computed
    seconds: float  # wall-clock seconds of the round
    cpu: float  # CPU seconds of the round, all threads


def evaluate(clip: Clip, engine: str, corrections: int, settings: EngineSettings | None = None) -> list[RoundResult]:
    """Run a round with first scribbles on a clip, and then at most `corrections` rounds with corrections."""
    truth = np.where(clip.truth == IGNORE, 0, clip.truth).astype(np.uint8)  # [T, H, W]
    session = create_engine_session(engine, clip.frames(), clip.num_objects, settings)
    masks = np.zeros_like(truth)
    drawn: set[int] = set()
    results = []
    interaction: Interaction | None = first_interaction(clip, truth)
    while interaction is not None:
        drawn.add(interaction.frame)
        results.append(_round(session, interaction, truth, masks, clip.num_objects))
        interaction = None if len(results) > corrections else correction(truth, masks, drawn, clip.num_objects)
    session.close()
    return results


def first_interaction(clip: Clip, truth: NDArray[np.uint8]) -> Interaction:
    for path in clip.scribble_files[:1]:
        stored = clip.scribbles(path)
        if stored:
            return stored[0]
    frame = clip.largest_frame()
    return Interaction(frame, first_strokes(truth[frame], clip.num_objects))


def _round(
    session: Engine, interaction: Interaction, truth: NDArray[np.uint8], masks: NDArray[np.uint8], num_objects: int
) -> RoundResult:
    """Run one round, write its masks into `masks` [T, H, W], and return its results."""
    frame = interaction.frame
    before = float(jaccard(truth[frame], masks[frame], num_objects).mean())
    start, cpu, count, first = time.perf_counter(), time.process_time(), 0, 0.0
    for update in session.run_round(interaction):
        masks[update.frame] = update.labels
        first = first or time.perf_counter() - start
        count += 1
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    j = np.mean([jaccard(t, m, num_objects).mean() for t, m in zip(truth, masks, strict=True)])
    after = float(jaccard(truth[frame], masks[frame], num_objects).mean())
    return RoundResult(frame, float(j), (before, after), first, count, seconds, cpu)


def report(name: str, results: Sequence[RoundResult]) -> str:
    """Return the results of a sequence as a line of text: J after each round, J of the drawn frames, and speed."""
    js = "  ".join(f"{r.j:.3f}" for r in results)
    drawn = "  ".join(f"{r.frame}: {r.on_frame[0]:.2f}>{r.on_frame[1]:.2f}" for r in results)
    cpu = sum(r.cpu for r in results) / max(sum(r.frames for r in results), 1) * 1000
    first = "  ".join(f"{r.first_mask * 1000:.0f}" for r in results)
    # The drawn frame is timed by itself, so a round that computes only that frame has no frame rate.
    rates = "  ".join(f"{(r.frames - 1) / (r.seconds - r.first_mask):.1f}" if r.frames > 1 else "-" for r in results)
    return f"{name:20s} J {js}   drawn on {drawn}   {first} ms to its mask, {rates} frames/s, CPU {cpu:.0f} ms a frame"


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(
        prog="segmentation.evaluation.quick", description=(__doc__ or "").split("\n")[0]
    )
    arguments.add_argument("root", type=Path, help="a folder in the DAVIS layout")
    arguments.add_argument("--engine", default="default")
    arguments.add_argument("--engines", metavar="MODULE", help="a module with further engines")
    arguments.add_argument("--sequences", nargs="+", help="names; default: all")
    arguments.add_argument("--resolution", help="folder below JPEGImages, where there are several (default: 480p)")
    arguments.add_argument("--corrections", type=int, default=2)
    arguments.add_argument("--weights", help="checkpoint of the engine")
    arguments.add_argument("--device", default="auto")
    arguments.add_argument(
        "--at-least", type=float, metavar="J", help="exit with 1 if the mean J after the last round is lower"
    )
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    args = parser().parse_args(argv)
    try:
        if args.engines:
            load_engines(args.engines)
        folder = DavisFolder(args.root, args.resolution)
        settings = EngineSettings(device=args.device, weights=args.weights)
        table = []
        for name, sequence in _sequences(folder, args.sequences).items():
            table.append(evaluate(sequence, args.engine, args.corrections, settings))
            print(report(name, table[-1]), flush=True)
    except (FolderError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    # A sequence without errors has no further rounds; its last J is used for them.
    rounds = max(len(results) for results in table)
    means = [float(np.mean([results[min(i, len(results) - 1)].j for results in table])) for i in range(rounds)]
    print(f"{'mean':20s} J {'  '.join(f'{j:.3f}' for j in means)}   over {len(table)} sequences")
    if args.at_least is not None and means[-1] < args.at_least:
        print(f"error: mean J {means[-1]:.3f} is below {args.at_least}", file=sys.stderr)
        return 1
    return 0


def _sequences(folder: DavisFolder, names: Sequence[str] | None) -> dict[str, Clip]:
    """Load the sequences `names`, or all that can be evaluated; for the others the reason is printed.

    Raises FolderError if one of `names` cannot be evaluated, or if no sequence can.
    """
    if names:
        return {name: load_sequence(folder, name) for name in names}
    good, bad = usable_sequences(folder, folder.names())
    for sentence in bad.values():
        print(f"left out: {sentence}", file=sys.stderr)
    return good


if __name__ == "__main__":
    sys.exit(main())
