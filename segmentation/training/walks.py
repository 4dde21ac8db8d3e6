"""Walks: what classical vision makes of the training videos, frame by frame, for a network to learn to put right.

A walk is one round of `segmentation.classical` from made-up scribbles through up to FRAMES frames of a video, kept
as the probabilities of its objects on the grid. It shows what goes wrong far from an annotation,
which no made-up clip does. `python -m segmentation.training.walks --data DIR --out DIR` records them.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.classical.engine import ClassicalEngine
from segmentation.classical.walk import Refine
from segmentation.frames import ArrayFrames
from segmentation.training.plan import load_plan
from segmentation.training.sources import IGNORE, Shot, find_sources
from segmentation.training.strokes import first_scribbles
from segmentation.types import Interaction, Scribble

SHORT_SIDE = 240  # the grid's: nothing is resized on the way
FRAMES = 40
MOST_OBJECTS = 3
LEAST_AREA = 0.004  # of the frame, where a walk begins

Map = NDArray[Any]  # float32 [h, w]


@dataclass(frozen=True)
class Walk:
    """One recorded walk.

    `frames` are indices of the shot, `start` counts in them; `numbers` are the objects' labels in the shot. The
    probabilities are uint8 [T, n, h, w], 255 = 1; in the frame that was drawn on they are the mask.
    """

    shot: str
    frames: tuple[int, ...]
    start: int
    numbers: tuple[int, ...]
    strokes: tuple[Scribble, ...]
    probability: NDArray[np.uint8]


class Recorder(ClassicalEngine):
    """A session that keeps the probabilities that are drawn."""

    name = "recorder"

    def _refiner(self) -> Refine:
        height, width = self._pictures.sizes.grid
        self.found = np.zeros((len(self.frames), self.num_objects, height, width), np.uint8)
        return self._record

    def _record(self, frame: int, maps: dict[int, Map]) -> dict[int, Map]:
        for object_id, probability in maps.items():
            self.found[frame, object_id - 1] = np.round(255 * np.clip(probability, 0, 1))
        return maps


def record(shot: Shot, random: np.random.Generator) -> Walk | None:
    """Walk through a part of a shot; None where no object can be seen at its beginning."""
    step = int(random.integers(1, 3)) if len(shot) >= FRAMES else 1
    begin = int(random.integers(0, max(1, len(shot) - step * FRAMES + 1)))
    indices = tuple(range(begin, len(shot), step))[:FRAMES]
    loaded = [shot.load(index, SHORT_SIDE) for index in indices]
    start = int(random.integers(len(indices)))
    labels = loaded[start][1]
    counts = np.bincount(labels.ravel(), minlength=256)
    seen = [n for n in range(1, IGNORE) if counts[n] >= LEAST_AREA * labels.size]
    if not seen:
        return None
    random.shuffle(seen)
    numbers = tuple(seen[:MOST_OBJECTS])
    renumbered = np.zeros_like(labels)
    for object_id, number in enumerate(numbers, start=1):
        renumbered[labels == number] = object_id
    strokes = first_scribbles(random, renumbered, len(numbers))
    session = Recorder(ArrayFrames(np.stack([frame for frame, _ in loaded])), len(numbers))
    masks = {update.frame: update.labels for update in session.run_round(Interaction(start, strokes))}
    session.close()
    for object_id in range(1, len(numbers) + 1):
        session.found[start, object_id - 1] = 255 * (masks[start] == object_id)
    return Walk(shot.name, indices, start, numbers, strokes, session.found)


def save(walk: Walk, path: Path) -> None:
    """`path`.npy holds the probabilities, `path`.json the rest."""
    np.save(path.with_suffix(".npy"), walk.probability)
    strokes = [{"object": stroke.object_id, "path": stroke.path.tolist()} for stroke in walk.strokes]
    rest = {"shot": walk.shot, "frames": walk.frames, "start": walk.start, "numbers": walk.numbers, "strokes": strokes}
    path.with_suffix(".json").write_text(json.dumps(rest))


def load(path: Path) -> Walk:
    """The walk at `path`.json; its probabilities stay on the disk until they are looked at."""
    rest = json.loads(path.with_suffix(".json").read_text())
    strokes = tuple(Scribble(entry["object"], np.array(entry["path"])) for entry in rest["strokes"])
    found = np.load(path.with_suffix(".npy"), mmap_mode="r")
    return Walk(rest["shot"], tuple(rest["frames"]), rest["start"], tuple(rest["numbers"]), strokes, found)


def main(arguments: list[str] | None = None) -> int:
    parse = argparse.ArgumentParser(prog="python -m segmentation.training.walks", description=__doc__)
    parse.add_argument("--data", type=Path, required=True, help="folder of the training sets")
    parse.add_argument("--out", type=Path, required=True, help="folder of the walks")
    parse.add_argument("--plan", default="compact", help="plan of STAR that says which videos are held out")
    parse.add_argument("--times", type=int, default=3, help="walks through each video")
    args = parse.parse_args(arguments)
    try:
        plan = load_plan("star", args.plan)
        sources = find_sources(args.data, plan.validation, plan.exclude)
        args.out.mkdir(parents=True, exist_ok=True)
        for again in range(args.times):
            for number, shot in enumerate(sources.videos):
                path = args.out / f"{shot.name.replace('/', '-')}-{again}"
                if path.with_suffix(".json").exists():
                    continue
                walk = record(shot, np.random.default_rng([plan.seed, again, number]))
                if walk is not None:
                    save(walk, path)
                    print(f"{path.name}: {len(walk.frames)} frames, {len(walk.numbers)} objects", flush=True)
    except (ValueError, OSError) as error:
        print(f"walks: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
