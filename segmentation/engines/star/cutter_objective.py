"""Trains the cutter (`RefinementNet`), the network that improves the mask of an object in a frame.

It learns to improve masks made from first scribbles, masks that scribbles correct, and propagated masks. The input is a
window around the object: the frame, the scribbles, and the mask of GrabCut or of a recorded propagation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from segmentation.checkpoints import load_network
from segmentation.classical.interacted_frame import InteractedFrame, ObjectEvidence
from segmentation.classical.scaled_frames import ScaledFrame, ScaledFrames, Sizes
from segmentation.cutter.refinement import (
    CUES_OUTSIDE_FRAME,
    FIRST_SCRIBBLE_CUE,
    RefinementNet,
    RefinementNetConfig,
    refine_interacted,
)
from segmentation.evaluation.stroke import first_strokes
from segmentation.frames import ArrayFrames
from segmentation.masks import resize_labels
from segmentation.runtime.folding import for_inference
from segmentation.training.clips import Clip
from segmentation.training.cutter_crops import CutterCrops, drawn_crops, propagated_crops
from segmentation.training.losses import bootstrapped_cross_entropy, soft_jaccard
from segmentation.training.objectives.configs import read_config
from segmentation.training.objectives.warm_start import NormPlan, hold_norms
from segmentation.training.plan import Plan
from segmentation.training.precision import mixed
from segmentation.training.recorded_clips import RecordedClips
from segmentation.training.sources import LabelledVideo, Sources
from segmentation.training.synthetic_scribbles import thorough_scribbles
from segmentation.types import IGNORE, FloatMap, LabelMap, Scribble

RECORDED = 0.35  # Share of training samples that are a frame and its mask from a recorded propagation.
VALIDATED = 8  # Number of frames of each validation video.
SHORT_SIDE = 288  # Short side in pixels of the frames in validation.
CORRECTIONS = 2  # Number of corrections of each mask in validation.


class Objective:
    """The training objective of the cutter.

    Args:
        plan: the training plan. Its table [objective] may set `keep` and `settle_norms`.
        keep: the share of pixels, those with the largest loss, that the bootstrapped cross-entropy counts.
        settle_norms: the share of the training after which batch norms use their running statistics; 0 = never.
        recordings: recorded propagations to train on as well.
        own: a checkpoint of the cutter that makes the masks to correct, since the errors of a network differ from
            synthetic errors. It stays the same during a run, so that a resumed run gets the same masks.
    """

    half = False  # Whether to train in half precision. The training loop sets it and `progress`.
    progress = 0.0  # The share of the training that is done, 0..1.

    def __init__(
        self,
        plan: Plan,
        device: torch.device,
        keep: float = 0.3,
        settle_norms: float = 0.0,
        recordings: RecordedClips | None = None,
        own: Path | None = None,
    ) -> None:
        self.network: nn.Module = RefinementNet(read_config(RefinementNetConfig, plan.network)).to(device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.parts = {"star-cut": self.network}
        self.device, self.keep, self.norms, self.recordings = device, keep, NormPlan(settle=settle_norms), recordings
        self.own = None if own is None else for_inference(_cutter(own), torch.device("cpu"), torch.float32)

    def prepare(self, clip: Clip, random: np.random.Generator) -> CutterCrops:
        """Make training windows around the objects of a clip's first frame. The second frame only shows the motion.

        A share RECORDED of them are from recorded propagations instead, if there are any.
        """
        draw = None if self.own is None else self._draw
        if self.recordings is not None and random.random() < RECORDED:
            pair, found = self.recordings.draw_pair(random, (clip.labels.shape[1], clip.labels.shape[2]))
            return propagated_crops(pair, found, random, draw)
        return drawn_crops(clip, random, draw)

    @torch.inference_mode()
    def _draw(self, picture: ScaledFrame, evidence: ObjectEvidence) -> FloatMap:
        assert self.own is not None
        return refine_interacted(self.own, picture, evidence)

    def loss(self, clips: list[CutterCrops], random: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        hold_norms(self.network, self.norms, self.progress)
        images = self._tensor(np.concatenate([crops.images for crops in clips])).permute(0, 3, 1, 2).float() / 255
        clues = self._tensor(np.concatenate([crops.clues for crops in clips])).float() / 255
        truth = self._tensor(np.concatenate([crops.truth for crops in clips]))
        images, clues, truth = _turned(images, clues, truth, random)
        with mixed(self.device, self.half):
            logits = self.network(images.contiguous(memory_format=torch.channels_last), clues)
        both = torch.stack([torch.zeros_like(logits), logits], dim=1).float()  # [N, 2, H, W]
        pairs = list(zip(both, truth, strict=True))
        cross = torch.stack([bootstrapped_cross_entropy(a, t, self.keep) for a, t in pairs]).mean()
        miss = torch.stack([soft_jaccard(a, t) for a, t in pairs])
        corrects = self._tensor(np.concatenate([crops.corrects for crops in clips]))
        drawn = clues[:, FIRST_SCRIBBLE_CUE:].amax((1, 2, 3)) > 0
        found, cut = logits.detach() > 0, clues[:, 0] > 0.5
        figures = {"j_soft": 1 - float(miss.mean().detach())}
        for name, chosen in (("first", ~corrects), ("corrected", corrects & drawn), ("followed", corrects & ~drawn)):
            if chosen.any():
                figures[f"j_{name}"] = _mean_j(found[chosen], truth[chosen])
                figures[f"gain_{name}"] = figures[f"j_{name}"] - _mean_j(cut[chosen], truth[chosen])
        return cross + miss.mean(), figures

    def validate(self, network: nn.Module, sources: Sources) -> dict[str, float]:
        """Measure the J of GrabCut and of the network on held-out videos, at first and after one and two corrections.

        A correction has a scribble through every wrong part of the mask. The score is the mean J of the network.
        """
        assert isinstance(network, RefinementNet)
        ready = for_inference(network, self.device, torch.float32)
        found = np.concatenate([_judge(ready, video) for video in sources.validation]).mean(axis=0)
        names = ("cut", "first", "cut_corrected", "corrected", "cut_again", "again")
        return {"score": float(found[1::2].mean()), **dict(zip(names, found.tolist(), strict=True))}

    def _tensor(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(values).to(self.device)


def _cutter(weights: Path) -> RefinementNet:
    network = load_network("star-cut", weights)
    assert isinstance(network, RefinementNet)
    return network


def _turned(images: Tensor, clues: Tensor, truth: Tensor, random: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Mirror, rotate and scale the windows of a batch and change their brightness at random.

    The same batch is used several times, so that this makes it different each time. Shapes: images [N, 3, H, W], clues
    (cues) [N, NUM_CUES, H, W], truth [N, H, W].
    """
    count = len(images)
    angle, zoom = random.normal(0, 0.15, count), np.exp(random.normal(0, 0.08, (2, count)))
    mirror = np.where(random.random(count) < 0.5, -1.0, 1.0)
    c, s, nothing = np.cos(angle), np.sin(angle), np.zeros(count)
    rows = [[mirror * zoom[0] * c, -zoom[0] * s, nothing], [mirror * zoom[1] * s, zoom[1] * c, nothing]]
    matrices = torch.from_numpy(np.array(rows).transpose(2, 0, 1)).to(images)
    grid = F.affine_grid(matrices, [count, 1, *images.shape[2:]], align_corners=False)
    gain = torch.from_numpy(np.exp(random.normal(0, 0.12, (count, 3, 1, 1)))).to(images)
    shift = torch.from_numpy(random.normal(0, 0.04, (count, 1, 1, 1))).to(images)
    lit = (images * gain + shift).clamp(0, 1)
    beyond = torch.tensor((0, 0, 0, *CUES_OUTSIDE_FRAME)).to(images)[:, None, None]
    shown = F.grid_sample(torch.cat([lit, clues], dim=1) - beyond, grid, align_corners=False) + beyond
    # The values of `truth` are raised by 1 before sampling, so that the 0 outside the window becomes 255 (ignore).
    known = F.grid_sample((truth[:, None].float() + 1) % 256, grid, mode="nearest", align_corners=False)[:, 0]
    return shown[:, :3], shown[:, 3:], (known.to(torch.uint8) - 1).to(torch.uint8)


def _mean_j(masks: Tensor, truth: Tensor) -> float:
    """Return the mean J of masks, bool [N, h, w], with `truth` [N, h, w]. Pixels where `truth` is 255 do not count."""
    known = truth != IGNORE
    own = truth == 1
    hit, union = (masks & own & known).sum((1, 2)), ((masks | own) & known).sum((1, 2))
    return float((hit / union.clamp_min(1)).mean())


@torch.inference_mode()
def _judge(network: RefinementNet, video: LabelledVideo) -> NDArray[np.float64]:
    """Return the J of GrabCut and of the network in frames of a video, after 0, 1 and 2 corrections: [frames, 6].

    The columns are GrabCut and the network in turn.
    """
    rows = []
    for index in np.linspace(0, len(video) - 2, VALIDATED).astype(int):
        frames, labels = zip(*(video.load(int(index) + step, SHORT_SIDE) for step in (0, 1)), strict=True)
        pictures = ScaledFrames(ArrayFrames(np.stack(frames)), Sizes.of(*labels[0].shape))
        truth = ((labels[0] > 0) & (labels[0] != IGNORE)).astype(np.uint8)
        if truth.any():
            earlier: list[Scribble] = []
            found: LabelMap | None = None
            row: list[float] = []
            for _ in range(1 + CORRECTIONS):
                drawn = first_strokes(truth, 1) if found is None else thorough_scribbles(truth, found, 1)
                evidence = InteractedFrame(pictures, 0, earlier, drawn, found, 0).evidence(1)
                found = _found(network, pictures, evidence, truth)
                row += [_j(_resized(evidence, truth), truth), _j(found, truth)]
                earlier += drawn
            rows.append(row)
    return np.array(rows)


def _found(network: RefinementNet, pictures: ScaledFrames, evidence: ObjectEvidence, truth: LabelMap) -> LabelMap:
    on_grid = (refine_interacted(network, pictures[0], evidence) > 0.5).astype(np.uint8)
    return resize_labels(on_grid, *truth.shape)


def _resized(evidence: ObjectEvidence, truth: LabelMap) -> LabelMap:
    return resize_labels(evidence.cut.astype(np.uint8), *truth.shape)


def _j(mask: LabelMap, truth: LabelMap) -> float:
    return float(((mask & truth) > 0).sum() / max(1, ((mask | truth) > 0).sum()))
