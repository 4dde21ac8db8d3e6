"""Trains ST-RNN on clips (short sequences of frames with true masks), in three stages, each a separate run.

`features` trains the backbones and the RNNs without links between frames. `time` trains the RNNs with links between
frames, while the backbones are frozen. These two stages are those of the paper (section 2.4.1). `refinement` trains
RGMP (Oh et al., CVPR 2018), which propagates masks from an annotated frame in the last round.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from segmentation.engine import EngineSettings
from segmentation.engines.strnn.adaptation import SHARPNESS, Samples, scores, solve
from segmentation.engines.strnn.engine import GIVEN_CELLS, STRNNEngine
from segmentation.engines.strnn.network import GRID, STRNN, Branch, STRNNConfig
from segmentation.engines.strnn.refinement import Refinement
from segmentation.engines.strnn.sampling import sample, thinned
from segmentation.networks.aggregation import aggregate_logits
from segmentation.networks.deeplab import DeepLabV3Plus
from segmentation.networks.trunk_backbone import TrunkMaps, joined
from segmentation.scribbles import rasterise
from segmentation.training.objectives.batch import Batch, LabelBatch, damage, on_grid
from segmentation.training.objectives.configs import read_config
from segmentation.training.objectives.running_means import RunningMeans
from segmentation.training.objectives.warm_start import NormPlan, begin, hold_norms
from segmentation.training.plan import Plan
from segmentation.training.precision import mixed
from segmentation.training.scribbled_clips import ScribbledClip, scribble
from segmentation.training.sources import Sources
from segmentation.training.stored_clips import ClipStore
from segmentation.training.synthetic_scribbles import correcting_scribbles, first_scribbles
from segmentation.training.trunk_clips import PreparedClip, clips_on_trunk, refuse_features, windows_of
from segmentation.training.validation import ROUNDS, validate
from segmentation.types import IGNORE, Scribble

ALPHA = 0.05  # alpha of equation 4, relative to the variance of the features, so that shrinking them does not help.
WINDOWS = ((5, 8), (6, 10), (9, 16))  # Sizes of the window that is cut out of stored clips, in units of 32 pixels.
USED = (0.6, 0.25, 0.15)  # Probability of each of these sizes.
STORED = 2  # Stride in pixels of stored true masks.

Result = tuple[Tensor, dict[str, float]]
Strokes = tuple[Scribble, ...]
Step = Callable[["Objective", list[Any], np.random.Generator], "_TrainingStep"]


class Objective:
    """The training objective of ST-RNN. The table [objective] of a training plan sets its options.

    Args:
        plan: the training plan.
        device: the device on which the network is trained.
        stage: "features", "time" or "refinement".
        ratio: the weight of the loss of equation 4 of the paper (`ratio_of`).
        adapted: the weight of the loss of the masks after the last layer was fitted in closed form, with gradients
            through the fit (as in Bertinetto et al. 2019; the paper does not have it). With 0 it is not computed.
        keep: the share of pixels, those with the largest loss, that always count in the cross-entropy (`adapted` and
            RGMP).
        overlap: the weight of (1 - soft J) in the same losses.
        given_masks: the probability that the last layer is also fitted to the true masks of annotated frames.
        damaged: the probability that the mask from which RGMP propagates has random errors.
        settle_norms: the share of the training after which batch norms use their running statistics; 0 = never.
        body: the path of pretrained weights, or "" for random weights (`warm_start.begin`).
        clips: the number of different clips in the stage "features", if the backbone is the pretrained trunk.
        features: a folder in which the trunk's features of these clips are stored; None: they are not stored.
    """

    anew = ("refinement.",)  # Initial weights may lack these keys, since earlier stages have no RGMP.
    half = False  # Whether to train in half precision. The training loop sets it and `progress`.
    progress = 0.0  # The share of the training that is done, 0..1.

    def __init__(
        self,
        plan: Plan,
        device: torch.device,
        stage: str = "features",
        ratio: float = 1.0,
        adapted: float = 0.0,
        keep: float = 0.3,
        overlap: float = 0.0,
        damaged: float = 0.0,
        given_masks: float = 0.0,
        settle_norms: float = 0.0,
        body: str = "",
        clips: int = 1000,
        features: Path | None = None,
    ) -> None:
        if stage not in STAGES:
            raise ValueError(f"stage: unknown {stage!r}, known are {', '.join(STAGES)}")
        self.norms = NormPlan(settle=settle_norms)
        config = read_config(STRNNConfig, plan.network)
        if stage != "refinement":
            config = replace(config, refinement=None)  # An untrained RGMP is not exported.
        network = begin(STRNN(config), self.norms, body, device)
        if stage == "features":
            for branch in branches_of(network):
                # This stage trains without links between frames. The engine has them, but zero weights make them
                # ineffective.
                nn.init.zeros_(branch.rnn.Kt)
        self.network: nn.Module = network
        self.parts = {"strnn": self.network}
        self.device, self.stage = device, stage
        self.ratio, self.adapted, self.keep, self.overlap = ratio, adapted, keep, overlap
        self.damaged, self.given_masks = damaged, given_masks
        self.step: Step = STAGES[stage]
        self.prepare: Callable[..., Any] = scribble
        self.store: ClipStore | None = None
        trunk = config.branches[0].trunk
        if trunk is not None and stage == "features":
            self.step = _TrunkFeatures
            self.prepare, self.store = clips_on_trunk(plan, trunk, clips, features)
        else:
            refuse_features(plan, features)

    def loss(self, clips: list[Any], random: np.random.Generator) -> Result:
        hold_norms(self.network, self.norms, self.progress)
        return self.step(self, clips, random).play()

    def validate(self, network: nn.Module, sources: Sources) -> dict[str, float]:
        """Return J&F on the validation videos.

        In the stage "refinement" the score is that of the last round, the only one in which RGMP is used.
        """
        assert isinstance(network, STRNN)
        settings, last = EngineSettings(device=str(self.device)), ROUNDS if self.stage == "refinement" else 0
        figures = validate(
            lambda frames, n: STRNNEngine(frames, n, settings, network=network, refine_from=last), sources.validation
        )
        return {**figures, "score": figures[f"round_{last}"]} if last else figures


def branches_of(network: STRNN) -> list[Branch]:
    return [branch for branch in network.branches if isinstance(branch, Branch)]


class _TrainingStep(ABC):
    """A training step on B clips of T frames. Each stage has a subclass."""

    def __init__(self, objective: Objective, batch: LabelBatch, random: np.random.Generator) -> None:
        network = objective.network
        assert isinstance(network, STRNN)
        self.network, self.objective, self.batch, self.random = network, objective, batch, random
        self.means = RunningMeans(objective.keep, objective.overlap)

    @abstractmethod
    def play(self) -> Result:
        """Run the step and return its loss and figures."""

    def _mixed(self) -> torch.autocast:
        return mixed(self.objective.device, self.objective.half)


class _Features(_TrainingStep):
    """A training step of the stage `features`, in which each frame is computed without the state of earlier frames.

    `size` is the size of the feature maps, `strokes` are the scribbles on the first frame of each clip.
    """

    def __init__(
        self, objective: Objective, batch: LabelBatch, strokes: list[Strokes], cell: int, random: np.random.Generator
    ) -> None:
        super().__init__(objective, batch, random)
        self.strokes = strokes
        self.size = (-(-batch.size[0] // cell), -(-batch.size[1] // cell))
        self.cells = on_grid(batch.labels, self.size)  # [B, T, h, w]

    @abstractmethod
    def _extract(self, branch: Branch) -> Tensor:
        """Return the features of all frames that the backbone of a branch computes, [B, T, C, h, w]."""

    def play(self) -> Result:
        ratios, losses = [], []
        for branch in branches_of(self.network):
            outputs = self._outputs(branch)
            ratios.append(self._ratio(outputs))
            losses.append(self.objective.ratio * ratios[-1])
            if self.objective.adapted:
                for b, y in enumerate(outputs):
                    self._adapt(b, y)
        figures = {"ratio": float(torch.stack(ratios).mean().detach())}
        loss = torch.stack(losses).sum()
        if self.objective.adapted:
            adapted, found = self.means.result()
            loss, figures = loss + self.objective.adapted * adapted, {**figures, **found}
        return loss, figures

    def _outputs(self, branch: Branch) -> Tensor:
        """Return the outputs y of a branch for all frames, [B, T, D, h, w]."""
        x = self._extract(branch)
        return torch.stack([torch.stack([branch.rnn(frame)[0] for frame in clip]) for clip in x])

    def _ratio(self, outputs: Tensor) -> Tensor:
        """Return the mean of the loss of equation 4 of the ST-RNN paper (`ratio_of`) over the cells of all objects.

        For each object, its cells in a random frame are compared with the cells of all other frames of the clip.
        `outputs` [B, T, D, h, w] are the outputs y of a branch, which is a backbone with its RNN.
        """
        anchor = int(self.random.integers(self.batch.length))
        pool = [t for t in range(self.batch.length) if t != anchor]
        ratios = []
        for b, number in zip(self.batch.clip.tolist(), self.batch.number.tolist(), strict=True):
            flat = outputs[b].flatten(2).transpose(1, 2)  # [T, h * w, D]
            cells = self.cells[b].flatten(1)  # [T, h * w]
            others, labels = flat[pool].flatten(0, 1), cells[pool].flatten()
            negatives = others[(labels != number) & (labels != IGNORE)]
            sets = (flat[anchor][cells[anchor] == number], others[labels == number], negatives)
            if all(len(samples) for samples in sets):
                ratios.append(ratio_of(*sets))
        return torch.cat(ratios).mean() if ratios else outputs.sum() * 0

    def _adapt(self, b: int, outputs: Tensor) -> None:
        """Fit the last layer to scribbles on clip b as the engine does: for a first round, then for a correction of a
        random frame. The losses of the masks after each fit are added to those of the training step.

        `outputs` are the features to which the last layer is applied: y of the paper, for each frame, [T, D, h, w].
        """
        truth, ids = self.batch.labels[b].cpu().numpy(), range(self.batch.objects[b] + 1)
        given = self.random.random() < self.objective.given_masks
        samples = [self._samples(outputs[0], self.strokes[b], None)]
        samples += [self._samples_of_truth(b, 0, outputs[0], ids)] if given else []
        found = self._classify(b, outputs, samples, ids, ["first"] + ["next"] * (len(outputs) - 1))
        t = int(self.random.integers(len(outputs)))
        labels = found[t].cpu().numpy()
        strokes = correcting_scribbles(self.random, truth[t], labels, self.batch.objects[b])
        before = on_grid(found[None, t : t + 1], self.size)[0, 0].to(torch.uint8).cpu().numpy()
        samples.append(self._samples(outputs[t], strokes, before))
        samples += [self._samples_of_truth(b, t, outputs[t], ids)] if given else []
        names = ["corrected" if frame == t else "later" for frame in range(len(outputs))]
        self._classify(b, outputs, samples, ids, names)

    def _samples(self, y: Tensor, strokes: tuple[Scribble, ...], before: NDArray[np.uint8] | None) -> Samples:
        cells, ids = sample(rasterise(strokes, *self.size), before, self.random)
        where = torch.from_numpy(cells).to(y.device)
        return Samples(y.flatten(1)[:, where].t(), torch.from_numpy(ids).to(y.device))

    def _samples_of_truth(self, b: int, t: int, y: Tensor, ids: range) -> Samples:
        truth = self.cells[b, t].to(torch.uint8).cpu().numpy()
        cells, numbers = thinned(truth, GIVEN_CELLS)
        known = np.isin(numbers, ids)
        where = torch.from_numpy(cells[known]).to(y.device)
        return Samples(y.flatten(1)[:, where].t(), torch.from_numpy(numbers[known]).to(y.device))

    def _classify(self, b: int, outputs: Tensor, samples: list[Samples], ids: range, names: list[str]) -> Tensor:
        """Fit the last layer to `samples`, segment every frame of clip b, and add the losses.

        `names` are the names of the frames' losses in the figures. Return the predicted masks, uint8 [T, H, W].
        """
        weights = solve(Samples.joined(samples), ids)
        coarse = SHARPNESS * torch.stack([scores(weights, y) for y in outputs])  # [T, n, h, w]
        full = F.interpolate(coarse, size=self.batch.size, mode="bilinear", align_corners=False)
        for logits, truth, name in zip(full, self.batch.labels[b], names, strict=True):
            self.means.add(name, [logits], [truth])
        return full.argmax(1).to(torch.uint8)


class _FrameFeatures(_Features):
    """A step of the stage `features` on clips with their frames.

    It is also the base class of the stage `time`.
    """

    def __init__(self, objective: Objective, clips: list[ScribbledClip], random: np.random.Generator) -> None:
        batch = Batch([scribbled.clip for scribbled in clips], objective.device)
        super().__init__(objective, batch, [scribbled.strokes for scribbled in clips], GRID, random)
        images = self.network.to_images(255 * batch.frames.flatten(0, 1))
        self.images = images.contiguous(memory_format=torch.channels_last)

    def _extract(self, branch: Branch) -> Tensor:
        with self._mixed():
            features = branch.extract(self.images)
        return features.float().unflatten(0, self.batch.labels.shape[:2])


class _TrunkFeatures(_Features):
    """A step of the stage `features` on windows of clips whose features of the frozen trunk are stored."""

    def __init__(self, objective: Objective, clips: list[PreparedClip], random: np.random.Generator) -> None:
        size = WINDOWS[int(random.choice(len(WINDOWS), p=USED))]
        cut = [windows_of({n: part.to(objective.device) for n, part in clip.items()}, size, random) for clip in clips]
        batch = LabelBatch(torch.stack([clip["labels"] for clip in cut]), [int(clip["objects"]) for clip in cut])
        truth = batch.labels[:, 0].cpu().numpy()
        strokes = [first_scribbles(random, labels, n) for labels, n in zip(truth, batch.objects, strict=True)]
        super().__init__(objective, batch, strokes, GRID // STORED, random)
        self.maps = TrunkMaps(*(torch.cat([clip[name].float() for clip in cut]) for name in TrunkMaps._fields))

    def _extract(self, branch: Branch) -> Tensor:
        assert isinstance(branch.body, DeepLabV3Plus)
        with self._mixed():
            features = F.adaptive_avg_pool2d(branch.body.from_features(*joined(self.maps)), self.size)
        return features.float().unflatten(0, self.batch.labels.shape[:2])


class _Time(_FrameFeatures):
    """A step of the stage `time`: the backbones are frozen, and the RNN's state passes from frame to frame."""

    def _extract(self, branch: Branch) -> Tensor:
        branch.body.eval()
        with torch.no_grad():
            return super()._extract(branch)

    def _outputs(self, branch: Branch) -> Tensor:
        clips = []
        for x in self._extract(branch):
            state, outputs = None, []
            for frame in x:
                y, state = branch.rnn(frame, state)
                outputs.append(y)
            clips.append(torch.stack(outputs))
        return torch.stack(clips)


class _Refinement(_TrainingStep):
    """A step of the stage `refinement`, which trains RGMP.

    It propagates the mask of the first frame of each clip to the last; gradients pass through the masks of all frames.
    """

    def __init__(self, objective: Objective, clips: list[ScribbledClip], random: np.random.Generator) -> None:
        self.frames = Batch([scribbled.clip for scribbled in clips], objective.device)
        super().__init__(objective, self.frames, random)

    def play(self) -> Result:
        refinement, batch = self.network.refinement, self.batch
        assert isinstance(refinement, Refinement)
        masks = self._given()
        with self._mixed():
            references = refinement.reference(self._images(0), masks)
        for t in range(1, batch.length):
            with self._mixed():
                found = refinement(self._images(t), masks, references)
            joint = [aggregate_logits(part.float(), channels=0) for part in batch.by_clip(found)]
            self.means.add("next", joint, list(batch.labels[:, t]))
            masks = torch.cat([torch.softmax(part, dim=0)[1:] for part in joint])
        return self.means.result()

    def _images(self, t: int) -> Tensor:
        """Return frame t of the clip of each of the N objects, [N, 3, H, W]."""
        return self.frames.frames[self.batch.clip, t].contiguous(memory_format=torch.channels_last)

    def _given(self) -> Tensor:
        """Return the true masks of the first frames, [N, H, W], some of them with random errors.

        The masks from which the engine propagates have errors too.
        """
        truth = self.batch.own(self.batch.labels[:, 0])
        worn = damage(truth, torch.Generator().manual_seed(int(self.random.integers(1 << 62))))
        chosen = torch.from_numpy(self.random.random(len(truth)) < self.objective.damaged).to(truth.device)
        return torch.where(chosen[:, None, None], worn, truth)


STAGES: dict[str, Step] = {"features": _FrameFeatures, "time": _Time, "refinement": _Refinement}


def ratio_of(anchors: Tensor, positives: Tensor, negatives: Tensor) -> Tensor:
    """Return the loss of equation 4 of the ST-RNN paper for each of A cells of an object (anchors), [A].

    It is the squared distance to the nearest cell of the object, divided by that to the nearest other cell (see ALPHA).

    Args:
        anchors: features of cells of the object in a frame, [A, D].
        positives: features of cells of the object in other frames, [P, D].
        negatives: features of all other cells in other frames, [N, D]. None of the three is empty.
    """
    everything = torch.cat((positives, negatives))
    spread = (everything - everything.mean(0)).square().sum(1).mean()
    return nearest(anchors, positives) / (nearest(anchors, negatives) + ALPHA * spread)


def nearest(queries: Tensor, cells: Tensor) -> Tensor:
    """Return the squared distance of every row of `queries` [Q, D] to the nearest row of `cells` [R, D], as [Q]."""
    norms = queries.square().sum(1, keepdim=True) + cells.square().sum(1)
    return (norms - 2 * queries @ cells.t()).amin(1).clamp_min(0)
