"""Trains STAR's confidence, which estimates the J of its masks, in rounds with a simulated user.

`python -m segmentation.engines.star.train_confidence --data DIR --out DIR` lets a simulated user work with STAR on
training videos, on synthetic clips with several objects, and on the held-out videos of the plan. The confidence is
first fitted to the masks of the training videos and clips, and its errors are measured on the held-out videos
(`reliability.json`, `reliability.svg`). Then it is fitted to the masks of all videos, and saved in `star.safetensors`
in the output folder. All other weights stay the same.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segmentation.checkpoints import load_state, read_checkpoint, save_checkpoint
from segmentation.engine import EngineSettings
from segmentation.engines.star.confidence import Confidence
from segmentation.engines.star.engine import StarEngine
from segmentation.engines.star.network import Star, StarConfig
from segmentation.evaluation.reliability import draw, measure
from segmentation.frames import ArrayFrames
from segmentation.metrics import jaccard
from segmentation.training.clips import Clip, ClipConfig, Clips
from segmentation.training.objectives.configs import read_config
from segmentation.training.plan import load_plan
from segmentation.training.sources import LabelledVideo, Sources, find_sources
from segmentation.training.synthetic_scribbles import correcting_scribbles, first_scribbles
from segmentation.types import IGNORE, Interaction
from segmentation.weights import find_weights

ROUNDS = 4  # Largest number of rounds in each video or clip.
FRAMES, STEP, SHORT_SIDE = 16, 3, 288  # Number of frames used of a video, their distance, and their short side.
CLIP = ClipConfig(frames=10, height=288, width=512, max_gap=3, video=0.5, paste=0.8, max_objects=3, bars=0.1)
CLIPS = 16  # Default number of synthetic clips.
RANDOM_FRAME = 0.3  # Probability that the simulated user corrects a random frame and not the worst frame.
STEPS = 250  # Largest number of iterations of L-BFGS.
RIDGE = 1e-2  # Penalty of squared weights.
LEAST_SCALE = 0.05  # Smallest standard deviation by which a figure is divided, as some hardly vary in training.
# The names in the network of the two estimates of confidence: of propagated masks, and in frames that were drawn on.
PROPAGATED, DRAWN = "confidence", "drawn_confidence"


@dataclass(frozen=True, eq=False)
class Rows:
    """The K figures from which an estimate computes the confidence of M masks, float32 [M, K], and the true J [M]."""

    evidence: Tensor
    j: Tensor

    @classmethod
    def joined(cls, parts: list[Rows]) -> Rows:
        return cls(torch.cat([part.evidence for part in parts]), torch.cat([part.j for part in parts]))


class Watched:
    """Records the figures (`evidence`) from which a session has just computed confidences, and by which network.

    `kind` names the network: there is one for propagated and one for drawn masks. The figures belong to the mask that
    the session yields next.
    """

    def __init__(self, session: StarEngine) -> None:
        self.kind, self.evidence = "", torch.empty(0)
        for kind in (PROPAGATED, DRAWN):
            getattr(session.network, kind).register_forward_pre_hook(self._note(kind))

    def _note(self, kind: str) -> Any:
        def note(_: nn.Module, given: tuple[Tensor]) -> None:
            self.kind, self.evidence = kind, given[0].clone()

        return note


def play(network: Star, clip: Clip, random: np.random.Generator) -> dict[str, list[Rows]]:
    """Let a simulated user work on a clip, and return what the confidence is fitted to.

    For each of the two fits, PROPAGATED (masks that were propagated) and DRAWN (masks of frames that were drawn on),
    the result has rows with the input values of the fit and the true J of each mask.
    """
    truth = np.where(clip.labels == IGNORE, 0, clip.labels).astype(np.uint8)
    session = StarEngine(ArrayFrames(clip.frames), clip.num_objects, EngineSettings(), network=network)
    watched, found = Watched(session), {PROPAGATED: list[Rows](), DRAWN: list[Rows]()}
    masks, j = np.zeros_like(truth), np.zeros((len(truth), clip.num_objects))
    start, drawn = int((truth > 0).sum((1, 2)).argmax()), set[int]()
    interaction = Interaction(start, first_scribbles(random, truth[start], clip.num_objects))
    for _ in range(ROUNDS):
        drawn.add(interaction.frame)
        for update in session.run_round(interaction):
            masks[update.frame] = update.labels
            j[update.frame] = jaccard(truth[update.frame], update.labels, clip.num_objects)
            rows = torch.from_numpy(j[update.frame]).float()
            # Objects that are not drawn yet have no figures. This happens if the first frame does not show them all.
            if len(rows) == len(watched.evidence):
                found[watched.kind].append(Rows(watched.evidence, rows))
        others = [frame for frame in range(len(truth)) if frame not in drawn]
        if not others:
            break
        worst = min(others, key=lambda frame: float(j[frame].mean()))
        frame = int(random.choice(others)) if random.random() < RANDOM_FRAME else worst
        more = correcting_scribbles(random, truth[frame], masks[frame], clip.num_objects)
        if not more:
            break
        interaction = Interaction(frame, more)
    session.close()
    return found


def video_clip(video: LabelledVideo) -> Clip:
    """Load up to FRAMES frames of a video as a clip, with object ids 1, 2, 3, ..."""
    step = STEP if len(video) >= STEP * FRAMES else 1
    loaded = [video.load(index, SHORT_SIDE) for index in range(0, len(video), step)[:FRAMES]]
    labels = np.stack([part for _, part in loaded])
    ids = [number for number in np.unique(labels) if number not in (0, IGNORE)]
    table = np.zeros(IGNORE + 1, np.uint8)
    table[ids], table[IGNORE] = np.arange(1, len(ids) + 1), IGNORE
    return Clip(np.stack([frame for frame, _ in loaded]), table[labels], len(ids))


def collect(network: Star, clips: Iterator[Clip], seed: int, what: str) -> dict[str, Rows]:
    """Let a simulated user work on every clip, and return the figures and true J of all masks, by name of the estimate.

    `what` is how the clips are called in the printed lines.
    """
    found: dict[str, list[Rows]] = {PROPAGATED: [], DRAWN: []}
    for number, clip in enumerate(clips):
        played = play(network, clip, np.random.default_rng([seed, number]))
        for kind, rows in played.items():
            found[kind] += rows
        mean = float(Rows.joined(played[PROPAGATED]).j.mean()) if played[PROPAGATED] else 0.0
        print(f"{what} {number}: mean J of propagated masks {mean:.3f}", flush=True)
    return {kind: Rows.joined(rows) for kind, rows in found.items()}


def fit(estimate: Confidence, rows: Rows) -> float:
    """Fit an estimate of confidence to the true J by penalised cross-entropy, and return the loss after the fit."""
    with torch.no_grad():
        estimate.mean.copy_(rows.evidence.mean(0))
        estimate.scale.copy_(rows.evidence.std(0).clamp_min(LEAST_SCALE))
        estimate.layer.weight.zero_()
        estimate.layer.bias.zero_()
    estimate.requires_grad_(True)
    optimizer = torch.optim.LBFGS(estimate.parameters(), max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        found = F.binary_cross_entropy_with_logits(estimate.logits(rows.evidence), rows.j)
        found = found + RIDGE * estimate.layer.weight.square().sum()
        found.backward()
        return found

    optimizer.step(loss)
    last = float(loss().detach())  # `step` returns the loss before the fit.
    estimate.requires_grad_(False)
    return last


def read_network(path: Path) -> Star:
    """Read STAR's checkpoint. It may lack the weights of the two estimates of confidence, which then start anew.

    Raises WeightsError if any other weights are missing.
    """
    given = read_checkpoint(path)
    network = Star(read_config(StarConfig, json.loads(given.header.get("config", "{}"))))
    own = network.state_dict()
    missing = {key: own[key] for key in own.keys() - given.tensors.keys() if key.startswith((PROPAGATED, DRAWN))}
    load_state(network, replace(given, tensors={**given.tensors, **missing}))
    return network


def training_clips(sources: Sources, count: int, seed: int) -> Iterator[Clip]:
    yield from (video_clip(video) for video in sources.videos)
    made = Clips(sources, CLIP, seed)
    yield from (made[number] for number in range(count))


def parser() -> argparse.ArgumentParser:
    parse = argparse.ArgumentParser(prog="python -m segmentation.engines.star.train_confidence", description=__doc__)
    parse.add_argument("--data", type=Path, required=True, help="folder of the training sets")
    parse.add_argument("--weights", type=Path, help="STAR's weights: a file or a folder; default: those that ship")
    parse.add_argument("--out", type=Path, required=True, help="folder for the weights and the reliability")
    parse.add_argument("--clips", type=int, default=CLIPS, help=f"number of synthetic clips ({CLIPS})")
    parse.add_argument("--threads", type=int, default=1, help="threads of PyTorch on the CPU (1)")
    return parse


def main(arguments: list[str] | None = None) -> int:
    args = parser().parse_args(arguments)
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    try:
        plan = load_plan("star", "compact")
        sources = find_sources(args.data, plan.validation, plan.exclude)
        path = find_weights("star", args.weights)
        network = read_network(path)
        args.out.mkdir(parents=True, exist_ok=True)
        held = collect(network, (video_clip(video) for video in sources.validation), plan.seed, "held-out video")
        train = collect(network, training_clips(sources, args.clips, plan.seed), plan.seed, "training clip")
        report = {}
        for kind, rows in train.items():
            estimate: Confidence = getattr(network, kind)
            fit(estimate, rows)
            report[kind] = measure(estimate(held[kind].evidence).numpy(), held[kind].j.numpy())
            fit(estimate, Rows.joined([rows, held[kind]]))
        write(args.out, network, path, report)
    except (ValueError, OSError) as error:
        print(f"confidence: {error}", file=sys.stderr)
        return 2
    for kind, figures in report.items():
        print(f"{kind}: {figures['count']} held-out masks, expected calibration error {figures['ece']:.3f}")
    return 0


def write(out: Path, network: Star, source: Path, report: dict[str, dict[str, Any]]) -> None:
    """Write the reliability report and diagram, and the checkpoint, with the header notes of `source`."""
    (out / "reliability.json").write_text(json.dumps(report, indent=1))
    (out / "reliability.svg").write_text(draw(report))
    header = read_checkpoint(source).header
    notes = {key: value for key, value in header.items() if key not in ("network", "config")}
    save_checkpoint(out / "star.safetensors", "star", network, notes)


if __name__ == "__main__":
    sys.exit(main())
