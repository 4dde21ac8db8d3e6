"""STAR's cutter learns the first mask of an object: from the frame, the strokes and what GrabCut made of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from segmentation.classical.drawing import Sketch, sketch_of
from segmentation.classical.picture import Pictures, Sizes
from segmentation.engines.star.cutting import Cutter, CutterConfig, clues_of, finish
from segmentation.evaluation.stroke import first_strokes
from segmentation.frames import ArrayFrames
from segmentation.masks import resize_labels
from segmentation.networks.folding import for_inference
from segmentation.training.clips import Clip
from segmentation.training.lessons.beginning import NormPlan, hold_norms
from segmentation.training.lessons.configs import read_config
from segmentation.training.losses import bootstrapped_cross_entropy, soft_jaccard
from segmentation.training.plan import Plan
from segmentation.training.precision import mixed
from segmentation.training.sources import IGNORE, Shot, Sources
from segmentation.training.strokes import first_scribbles

WHOLE = 0.6  # of the clips: strokes through the middle of all of an object, as the challenge's robot draws them
VALIDATED = 8  # frames of each validation video
SHORT_SIDE = 240  # the grid's


@dataclass(frozen=True)
class Sketched:
    """A frame uint8 [H, W, 3], and of its n objects the clues uint8 [n, CLUES, H, W] and what is right [n, H, W].

    There 1 = object, 255 = nobody knows.
    """

    frame: NDArray[np.uint8]
    clues: NDArray[np.uint8]
    truth: NDArray[np.uint8]


class Lesson:
    """`plan.lesson` may set `keep` (fraction of the bootstrapped pixels) and `settle_norms` (see `NormPlan`)."""

    half = False  # set by who runs the lesson, as `progress` is
    progress = 0.0

    def __init__(self, plan: Plan, device: torch.device, keep: float = 0.3, settle_norms: float = 0.0) -> None:
        self.network: nn.Module = Cutter(read_config(CutterConfig, plan.network)).to(device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.parts = {"star-cut": self.network}
        self.device, self.keep, self.norms = device, keep, NormPlan(settle=settle_norms)

    @staticmethod
    def prepare(clip: Clip, random: np.random.Generator) -> Sketched:
        """The first frame of a clip, sketched; the second one only shows how it moves."""
        size = clip.labels.shape[1:]
        pictures = Pictures(ArrayFrames(clip.frames), Sizes.of(*size))
        known = np.where(clip.labels[0] == IGNORE, 0, clip.labels[0]).astype(np.uint8)
        whole = random.random() < WHOLE
        strokes = (first_strokes if whole else partial(first_scribbles, random))(known, clip.num_objects)
        seed = int(random.integers(1 << 30))
        ids = range(1, clip.num_objects + 1)
        clues = np.stack([clues_of(sketch_of(pictures, 0, strokes, o, seed), (size[0], size[1])) for o in ids])
        labels = clip.labels[0]
        truth = np.stack([np.where(labels == IGNORE, IGNORE, labels == o) for o in ids]).astype(np.uint8)
        return Sketched(clip.frames[0], np.round(255 * clues).astype(np.uint8), truth)

    def loss(self, clips: list[Sketched], random: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        hold_norms(self.network, self.norms, self.progress)
        counts = [len(one.truth) for one in clips]
        frames = np.repeat(np.stack([one.frame for one in clips]), counts, axis=0)
        images = self._tensor(frames).permute(0, 3, 1, 2).float() / 255
        clues = self._tensor(np.concatenate([one.clues for one in clips])).float() / 255
        with mixed(self.device, self.half):
            logits = self.network(images.contiguous(memory_format=torch.channels_last), clues)
        y, x = random.integers(2, size=2)  # of each four pixels, one: which one changes, so that no side is favoured
        truth = self._tensor(np.concatenate([one.truth for one in clips]))[:, y::2, x::2]
        both = torch.stack([torch.zeros_like(logits), logits], dim=1).float()  # [N, 2, H/2, W/2]
        pairs = list(zip(both, truth, strict=True))
        cross = torch.stack([bootstrapped_cross_entropy(a, t, self.keep) for a, t in pairs]).mean()
        miss = torch.stack([soft_jaccard(a, t) for a, t in pairs]).mean()
        cut = clues[:, 0, y::2, x::2] > 0.5
        return cross + miss, {
            "j_soft": 1 - float(miss.detach()),
            "j": _mean_j(logits > 0, truth),
            "j_cut": _mean_j(cut, truth),
        }

    def validate(self, network: nn.Module, sources: Sources) -> dict[str, float]:
        """J of the first mask on frames of the held-out videos, with the automatic strokes of the quick program."""
        assert isinstance(network, Cutter)
        ready = for_inference(network, self.device, torch.float32)
        found = np.concatenate([_judge(ready, shot) for shot in sources.validation])
        return {"score": float(found[:, 1].mean()), "cut": float(found[:, 0].mean())}

    def _tensor(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(values).to(self.device)


def _mean_j(masks: Tensor, truth: Tensor) -> float:
    """Mean J of masks [N, h, w]; where `truth` is 255 nothing counts."""
    known = truth != IGNORE
    own = truth == 1
    hit, union = (masks & own & known).sum((1, 2)), ((masks | own) & known).sum((1, 2))
    return float((hit / union.clamp_min(1)).mean())


@torch.inference_mode()
def _judge(network: Cutter, shot: Shot) -> NDArray[np.float64]:
    """J of GrabCut and of the network in some frames of a video: [frames * objects, 2]."""
    rows = []
    for index in np.linspace(0, len(shot) - 2, VALIDATED).astype(int):
        frames, labels = zip(*(shot.load(int(index) + step, SHORT_SIDE) for step in (0, 1)), strict=True)
        pictures = Pictures(ArrayFrames(np.stack(frames)), Sizes.of(*labels[0].shape))
        truth = np.where(labels[0] == IGNORE, 0, labels[0]).astype(np.uint8)
        for number in np.unique(truth[truth > 0]):
            strokes = first_strokes((truth == number).astype(np.uint8), 1)
            sketch = sketch_of(pictures, 0, strokes, 1, 0)
            rows.append(_both(network, pictures[0].grid, sketch, truth == number))
    return np.array(rows)


def _both(network: Cutter, grid: NDArray[np.uint8], sketch: Sketch, truth: NDArray[np.bool_]) -> tuple[float, float]:
    found = (finish(network, grid, sketch).cpu().numpy() > 0.5).astype(np.uint8)
    masks = (resize_labels(one, *truth.shape) > 0 for one in (sketch.cut.astype(np.uint8), found))
    cut, finished = (float((mask & truth).sum() / max(1, (mask | truth).sum())) for mask in masks)
    return cut, finished
