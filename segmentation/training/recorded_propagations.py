"""Records how the engine of `segmentation.classical` propagates masks in training videos, to train STAR's cutter.

A recording has up to ROUNDS rounds on up to FRAMES frames of a video: the first with synthetic scribbles, the others
with corrections of the worst frame. It stores the probability maps of the objects after each round. They have the
errors that occur far from annotated frames and between two of them, which synthetic clips do not have.

`python -m segmentation.training.recorded_propagations --data DIR --out DIR` makes recordings.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmentation.classical.engine import ClassicalEngine
from segmentation.classical.motion import Motion
from segmentation.classical.propagator import RefinePropagated
from segmentation.frames import ArrayFrames
from segmentation.training.plan import load_plan
from segmentation.training.sources import LabelledVideo, find_sources
from segmentation.training.synthetic_scribbles import correcting_scribbles, first_scribbles
from segmentation.types import IGNORE, FloatMap, Interaction, Scribble

SHORT_SIDE = 240  # pixels; for a 16:9 video the engine computes at this size, so that nothing is resized
FRAMES = 40
ROUNDS = 3
MOST_OBJECTS = 3
LEAST_AREA = 0.004  # smallest area of an object in the frame that is drawn on first, as a fraction of the frame

Map = FloatMap


@dataclass(frozen=True, eq=False)
class RecordedPropagation:
    """A recording of R rounds on T frames of a video with n objects.

    `frames` are the indices of the frames. `drawn` has for each round the annotated frame, as a position in `frames`,
    and `strokes` the scribbles. `numbers` are the ids of the objects in the video. `probability` has the probability
    maps after each round, uint8 [R, T, n, h, w], 255 = 1; in annotated frames they are the mask.
    """

    video: str
    frames: tuple[int, ...]
    drawn: tuple[int, ...]
    numbers: tuple[int, ...]
    strokes: tuple[tuple[Scribble, ...], ...]
    probability: NDArray[np.uint8]


class Found:
    """The newest probability maps of every frame, uint8 [T, n, h, w]; 255 is probability 1."""

    def __init__(self, frames: int, objects: int, grid: tuple[int, int]) -> None:
        self.maps = np.zeros((frames, objects, *grid), np.uint8)

    def note(self, frame: int, maps: dict[int, Map]) -> None:
        for object_id, probability in maps.items():
            self.maps[frame, object_id - 1] = np.round(255 * np.clip(probability, 0, 1))


class Recorder(ClassicalEngine):
    """A session of the engine of `segmentation.classical` that also stores its probability maps."""

    name = "recorder"

    def _setup(self) -> None:
        super()._setup()
        self.found = Found(len(self.frames), self.num_objects, self._scaled_frames.sizes.grid)

    def _propagated_refiner(self) -> RefinePropagated:
        return self._record

    def _record(self, frame: int, motion: Motion, maps: dict[int, Map]) -> dict[int, Map]:
        self.found.note(frame, maps)
        return maps


def record(video: LabelledVideo, random: np.random.Generator) -> RecordedPropagation | None:
    """Record rounds on a random part of a video, of which a random frame is drawn on first.

    Returns None if no object is large enough in that frame.
    """
    step = int(random.integers(1, 3)) if len(video) >= FRAMES else 1
    begin = int(random.integers(0, max(1, len(video) - step * FRAMES + 1)))
    indices = tuple(range(begin, len(video), step))[:FRAMES]
    loaded = [video.load(index, SHORT_SIDE) for index in indices]
    start = int(random.integers(len(indices)))
    numbers = _seen(random, loaded[start][1])
    if not numbers:
        return None
    truth = np.stack([renumbered(labels, numbers) for _, labels in loaded])
    session = Recorder(ArrayFrames(np.stack([frame for frame, _ in loaded])), len(numbers))
    masks = np.zeros_like(truth)
    drawn, strokes, found = [start], [first_scribbles(random, truth[start], len(numbers))], []
    for _ in range(ROUNDS):
        for update in session.run_round(Interaction(drawn[-1], strokes[-1])):
            masks[update.frame] = update.labels
        for frame, object_id in product(drawn, range(1, len(numbers) + 1)):
            session.found.maps[frame, object_id - 1] = 255 * (masks[frame] == object_id)
        found.append(session.found.maps.copy())
        worst = _worst(truth, masks)
        corrections = correcting_scribbles(random, truth[worst], masks[worst], len(numbers))
        if not corrections:
            break
        drawn.append(worst)
        strokes.append(corrections)
    session.close()
    rounds = len(found)
    return RecordedPropagation(
        video.name, indices, tuple(drawn[:rounds]), numbers, tuple(strokes[:rounds]), np.stack(found)
    )


def _seen(random: np.random.Generator, labels: NDArray[np.uint8]) -> tuple[int, ...]:
    """Choose up to MOST_OBJECTS random ids of the objects that are large enough in a frame with the mask `labels`."""
    counts = np.bincount(labels.ravel(), minlength=256)
    seen = [n for n in range(1, IGNORE) if counts[n] >= LEAST_AREA * labels.size]
    random.shuffle(seen)
    return tuple(seen[:MOST_OBJECTS])


def renumbered(labels: NDArray[np.uint8], numbers: tuple[int, ...]) -> NDArray[np.uint8]:
    """Renumber the objects `numbers` to 1..n and set all other objects to background."""
    table = np.zeros(256, np.uint8)
    table[IGNORE] = IGNORE
    table[list(numbers)] = np.arange(1, len(numbers) + 1)
    return table[labels]


def _worst(truth: NDArray[np.uint8], masks: NDArray[np.uint8]) -> int:
    """Return the index of the frame in which masks and ground truth, both [T, H, W], overlap least."""
    shown, found = (truth > 0) & (truth != IGNORE), masks > 0
    right = (truth == masks) & shown
    union = (shown | (found & (truth != IGNORE))).sum(axis=(1, 2))
    return int((right.sum(axis=(1, 2)) / np.maximum(union, 1) + (union == 0)).argmin())


def save(recording: RecordedPropagation, path: Path) -> None:
    """Write a recording: the probability maps to `path`.npy, the rest to `path`.json."""
    np.save(path.with_name(f"{path.name}.npy"), recording.probability)
    rest = {
        "video": recording.video,
        "frames": recording.frames,
        "drawn": recording.drawn,
        "numbers": recording.numbers,
        "strokes": [[{"object": s.object_id, "path": s.path.tolist()} for s in drawn] for drawn in recording.strokes],
    }
    path.with_name(f"{path.name}.json").write_text(json.dumps(rest))


def load(path: Path) -> RecordedPropagation:
    """Load the recording whose JSON file is `path`.

    Its probability maps are mapped from disk, and read only where they are used.
    """
    rest = json.loads(path.read_text())
    strokes = tuple(
        tuple(Scribble(entry["object"], np.array(entry["path"])) for entry in drawn) for drawn in rest["strokes"]
    )
    found = np.load(path.with_suffix(".npy"), mmap_mode="r")
    return RecordedPropagation(
        rest["video"], tuple(rest["frames"]), tuple(rest["drawn"]), tuple(rest["numbers"]), strokes, found
    )


def main(arguments: list[str] | None = None) -> int:
    parse = argparse.ArgumentParser(prog="python -m segmentation.training.recorded_propagations", description=__doc__)
    parse.add_argument("--data", type=Path, required=True, help="folder of the training sets")
    parse.add_argument("--out", type=Path, required=True, help="folder of the recordings")
    parse.add_argument("--plan", default="compact", help="plan of STAR, which names the held-out videos (compact)")
    parse.add_argument("--times", type=int, default=3, help="recordings of each video (3)")
    args = parse.parse_args(arguments)
    try:
        plan = load_plan("star", args.plan)
        sources = find_sources(args.data, plan.validation, plan.exclude)
        args.out.mkdir(parents=True, exist_ok=True)
        for again in range(args.times):
            for number, video in enumerate(sources.videos):
                path = args.out / f"{video.name.replace('/', '-')}-{again}"
                if path.with_name(f"{path.name}.json").exists():
                    continue
                recording = record(video, np.random.default_rng([plan.seed, again, number]))
                if recording is not None:
                    save(recording, path)
                    print(f"{path.name}: {len(recording.frames)} frames, {len(recording.numbers)} objects", flush=True)
    except (ValueError, OSError) as error:
        print(f"recordings: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
