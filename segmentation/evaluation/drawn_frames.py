"""Measures J of the frames that are drawn on, after their first scribbles and after each correction of one scribble.

    python -m segmentation.evaluation.drawn_frames --davis-root DIR [--engine star] [--strokes casual]

Of each sequence, frames that show an object are taken at equal distances. In each, an object gets a scribble in its
largest part, and each correction is one scribble in the largest region that is wrong then. Scribbles run along the
middle of a region, about as those of the robot of the DAVIS challenge, or are casual: a part of that path, or a path
that wanders inside the region. So that no time is spent on propagation, the engine gets the frame with the one after it
(the one before it, at the end) as a video of two frames.

It prints J of the drawn frames and how many corrections made their own frame worse. No package of the benchmark is
needed. The exit status is 2 if the input cannot be used.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Many
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from segmentation.engine import Engine, EngineSettings
from segmentation.evaluation.davis_folder import DavisFolder, FolderError, Sequence, load_sequence, usable_sequences
from segmentation.evaluation.stroke import Mask, casual_stroke, largest_error, largest_part, middle_path
from segmentation.frames import ImageFrames
from segmentation.metrics import jaccard
from segmentation.registry import create_engine_session, load_engines
from segmentation.types import IGNORE, Interaction, LabelMap, Scribble

Draw = Callable[[Mask, int], Scribble]  # draws a scribble of an object id in a region, bool [H, W]

SAME = 1e-9  # J that differs by less is equal.


@dataclass(frozen=True)
class DrawnFrame:
    """J of one drawn frame, as the mean over the objects that it shows.

    `j` has a value for the first scribbles, and one for each correction. It ends early when no pixel is wrong.
    """

    sequence: str
    frame: int
    j: tuple[float, ...]

    @property
    def gains(self) -> tuple[float, ...]:
        """By how much each correction raised J. It is negative where a correction made its frame worse."""
        return tuple(float(gain) for gain in np.diff(self.j))

    def after(self, corrections: int) -> float:
        """Return J after `corrections` corrections. A frame that became right earlier keeps its last J."""
        return self.j[min(corrections, len(self.j) - 1)]


def chosen_frames(sequence: Sequence, count: int) -> list[int]:
    """Return at most `count` frames that show an object, at equal distances from the first to the last of them."""
    shown = [t for t, labels in enumerate(sequence.truth) if ((labels > 0) & (labels != IGNORE)).any()]
    places = np.linspace(0, len(shown) - 1, min(count, len(shown))).astype(int)
    return [shown[place] for place in places]


def draw_on(
    sequence: Sequence, frame: int, engine: str, corrections: int, draw: Draw, settings: EngineSettings | None = None
) -> DrawnFrame:
    """Draw the first scribbles on a frame and then at most `corrections` corrections, one round each, and measure J."""
    labels = sequence.truth[frame]
    truth: LabelMap = np.where(labels == IGNORE, 0, labels).astype(np.uint8)
    shown = [number for number in range(1, sequence.num_objects + 1) if (truth == number).any()]
    start = max(0, min(frame, sequence.num_frames - 2))
    session = create_engine_session(
        engine, ImageFrames(sequence.frame_files[start : start + 2]), sequence.num_objects, settings
    )
    js = []
    try:
        scribbles = tuple(draw(largest_part(truth == number), number) for number in shown)
        while scribbles:
            found = _drawn_mask(session, Interaction(frame - start, scribbles))
            js.append(float(jaccard(truth, found, shown).mean()))
            wrong = largest_error(truth, found) if len(js) <= corrections else None
            scribbles = () if wrong is None else (draw(wrong[1], wrong[0]),)
    finally:
        session.close()
    return DrawnFrame(sequence.name, frame, tuple(js))


def _drawn_mask(session: Engine, interaction: Interaction) -> LabelMap:
    """Run a round and return the mask of the frame that was drawn on."""
    masks = {update.frame: update.labels for update in session.run_round(interaction)}
    return masks[interaction.frame]


def drawing(strokes: str, seed: int, sequence: str, frame: int) -> Draw:
    """Return how scribbles are drawn: along the "middle" or "casual". Casual ones depend on all other arguments."""
    if strokes == "middle":
        return lambda region, number: Scribble(number, middle_path(region))
    random = np.random.default_rng([seed, zlib.crc32(sequence.encode()), frame])
    return lambda region, number: casual_stroke(random, region, number)


def table(measured: Many[DrawnFrame], corrections: int) -> str:
    """Return lines of text: J of each sequence and of all drawn frames, and the corrections that made J lower."""
    lines = [f"{'sequence':20s} frames  J after the first scribbles and each correction"]
    names = list(dict.fromkeys(drawn.sequence for drawn in measured))
    for name in [*names, "all"]:
        own = [drawn for drawn in measured if name in (drawn.sequence, "all")]
        js = "  ".join(f"{np.mean([drawn.after(i) for drawn in own]):.3f}" for i in range(corrections + 1))
        lines.append(f"{name:20s} {len(own):6d}  {js}")
    gains = [gain for drawn in measured for gain in drawn.gains]
    worse = [gain for gain in gains if gain < -SAME]
    mean = f", mean gain {np.mean(gains):.4f}" if gains else ""
    most = f", by {-min(worse):.4f} at most" if worse else ""
    lines.append(f"corrections: {len(gains)}{mean}; {len(worse)} made their frame worse{most}")
    for drawn in measured:
        for number, gain in enumerate(drawn.gains, 1):
            if gain < -SAME:
                before, after = drawn.j[number - 1 : number + 1]
                lines.append(f"  {drawn.sequence} {drawn.frame}, correction {number}: {before:.4f} to {after:.4f}")
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(
        prog="python -m segmentation.evaluation.drawn_frames", description=(__doc__ or "").split("\n")[0]
    )
    arguments.add_argument("--davis-root", type=Path, required=True, help="a folder in the DAVIS layout")
    arguments.add_argument("--sequences", help="names, comma separated; default: all that can be used")
    arguments.add_argument("--resolution", help="folder below JPEGImages, where there are several (default: 480p)")
    arguments.add_argument("--engine", default="default")
    arguments.add_argument("--engines", metavar="MODULE", help="a module with further engines")
    arguments.add_argument("--weights", help="checkpoint of the engine")
    arguments.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    arguments.add_argument("--strokes", choices=("middle", "casual"), default="middle")
    arguments.add_argument("--frames", type=int, default=9, help="drawn frames of each sequence (9)")
    arguments.add_argument("--corrections", type=int, default=3, help="corrections of each drawn frame (3)")
    arguments.add_argument("--seed", type=int, default=0, help="of casual strokes (0)")
    arguments.add_argument("--out", type=Path, metavar="FILE", help="a JSON file for J of every drawn frame")
    return arguments


def measure(args: argparse.Namespace) -> Iterator[DrawnFrame]:
    """Measure every drawn frame that the arguments ask for.

    Raises:
        FolderError: a sequence that was asked for cannot be used, or none can.
        ValueError: the engine is unknown, or a number is out of its range.
    """
    if args.frames < 1 or args.corrections < 0 or args.seed < 0:
        raise ValueError("--frames must be 1 or more, --corrections and --seed 0 or more")
    folder = DavisFolder(args.davis_root, args.resolution)
    settings = EngineSettings(device=args.device, weights=args.weights)
    for name, sequence in _sequences(folder, args.sequences).items():
        for frame in chosen_frames(sequence, args.frames):
            draw = drawing(args.strokes, args.seed, name, frame)
            yield draw_on(sequence, frame, args.engine, args.corrections, draw, settings)


def _sequences(folder: DavisFolder, names: str | None) -> dict[str, Sequence]:
    if names:
        return {name: load_sequence(folder, name) for name in names.split(",")}
    good, bad = usable_sequences(folder, folder.names())
    for sentence in bad.values():
        print(f"left out: {sentence}", file=sys.stderr)
    return good


def main(argv: Many[str] | None = None) -> int:
    args = parser().parse_args(argv)
    try:
        if args.engines:
            load_engines(args.engines)
        measured = list(measure(args))
    except (FolderError, ValueError) as error:
        print(f"drawn_frames: {error}", file=sys.stderr)
        return 2
    print(table(measured, args.corrections))
    if args.out:
        args.out.write_text(json.dumps([asdict(drawn) for drawn in measured], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
