"""Trains STAR to propagate masks through training clips.

A clip is a short sequence of frames with true masks. The trunk, the pretrained image network, is frozen, so that its
features of a clip are computed once and stored on disk (`stored_clips.py`). Every training step runs two rounds on a
few clips, as a session would: outward from one annotated frame, and then outward from a second one. Each frame is
segmented from the masks that STAR itself computed for the frame before. To save time, only a window of each clip is
decoded, while whole annotated frames enter the memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from segmentation.engine import EngineSettings
from segmentation.engines.star.engine import ANSWER_WEIGHT, StarEngine
from segmentation.engines.star.features import Raw
from segmentation.engines.star.matching import Cues, Memory, Neighbour, gather_cues, remembered
from segmentation.engines.star.network import Encoded, Star, StarConfig, compete
from segmentation.engines.star.training_clips import PARTS, prepared, random_start, usable_drawn_masks
from segmentation.training.clips import Clip
from segmentation.training.objectives.batch import damage
from segmentation.training.objectives.configs import read_config
from segmentation.training.plan import Plan
from segmentation.training.precision import mixed
from segmentation.training.sources import Sources
from segmentation.training.trunk_clips import most_objects, store_of_clips
from segmentation.training.validation import validate
from segmentation.types import IGNORE

DRAWN = 0.4  # Probability that the first annotated frame is the one whose mask was made from scribbles.
DAMAGED = 0.5  # Probability that the true mask of an annotated frame gets errors, like a mask made from scribbles.
ANSWERS = 3  # Number of the round's own masks that the memory holds, as in the engine.
SAMPLED = 384  # Number of cells per frame in the loss of matching.
WINDOWS = ((20, 32), (14, 22), (28, 48))  # Sizes of the decoded window: rows and columns in cells of 8 x 8 pixels.
USED = (0.6, 0.2, 0.2)  # Probability of each of these sizes.
GAP = (1.0, 5.0)  # Range of the distance in frames of the video between two frames of a clip.
KEPT = 0.4  # Share of the background cells of annotated frames that enter the memory.
SURE = 0.1  # Weight of the loss of the J that the decoder estimates.


class Objective:
    half = False
    progress = 0.0
    trunk_field = ("trunk",)  # where the network's configuration names the trunk

    def __init__(self, plan: Plan, device: torch.device, clips: int = 1500, features: Path | None = None) -> None:
        config = read_config(StarConfig, plan.network)
        self.network: nn.Module = Star(config).to(device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.parts = {"star": self.network}
        self.device = device
        self.max_objects = most_objects(plan)
        self.trunk = config.trunk
        self.store = store_of_clips(features, self.trunk, self.max_objects, clips, PARTS)

    def prepare(self, clip: Clip, random: np.random.Generator) -> dict[str, Tensor]:
        return prepared(clip, random, self.max_objects, self.trunk)

    def loss(self, clips: list[dict[str, Tensor]], random: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        with mixed(self.device, self.half):
            return Episode(self, clips, random).play()

    def validate(self, network: nn.Module, sources: Sources) -> dict[str, float]:
        assert isinstance(network, Star)
        settings = EngineSettings(device=str(self.device))
        return validate(lambda frames, count: StarEngine(frames, count, settings, network=network), sources.validation)


@dataclass(eq=False)
class Scene:
    """A clip of T frames in a step. Tensors but `full`, `labels` and `drawn` are cropped to the window to decode."""

    full: Tensor  # [T, E, h, w]: the embedding of whole frames
    labels: Tensor  # uint8 [T, 4h, 4w]: the true masks of whole frames
    drawn: Tensor  # uint8 [T, 4h, 4w]: masks made from scribbles; IGNORE in frames without such a mask
    encoded: Encoded  # [T, ...]
    truth: Tensor  # uint8 [T, ...]: the true masks at stride 2
    back: tuple[Tensor, Tensor]  # flow [T - 1, 2, ...] to the previous frame and its trust, at stride 4
    forth: tuple[Tensor, Tensor]  # flow to the next frame and its trust, with the same shapes
    objects: int  # number of objects n
    gap: float  # distance between two frames of the clip, in frames of a video
    window: tuple[int, int]  # y and x of the corner of the window, at stride 2

    def one_hot(self, labels: Tensor) -> Tensor:
        numbers = torch.arange(1, self.objects + 1, device=labels.device)[:, None, None]
        return (labels[None] == numbers).float()


class Episode:
    """A training step on several clips, which are propagated together."""

    def __init__(self, objective: Objective, clips: list[dict[str, Tensor]], random: np.random.Generator) -> None:
        network = objective.network
        assert isinstance(network, Star)
        self.network, self.random, self.device = network, random, objective.device
        self.noise = torch.Generator().manual_seed(int(random.integers(1 << 62)))
        self.window = WINDOWS[int(random.choice(len(WINDOWS), p=USED))]
        self.losses: list[Tensor] = []
        self.figures: dict[str, list[float]] = {}
        self.matching: list[Tensor] = []
        self.scenes = [self._scene(clip) for clip in clips]
        self.given: list[dict[int, Tensor]] = [{} for _ in clips]  # by clip and frame, annotated masks [n, 4h, 4w]

    def _scene(self, clip: dict[str, Tensor]) -> Scene:
        clip = {name: part.to(self.device) for name, part in clip.items()}
        if self.random.random() < 0.5:
            clip = mirrored(clip)
        f4, f8, f16, f32 = (clip[name].float() for name in ("f4", "f8", "f16", "f32"))
        raw = Raw(f4, f8, f16, f32, clip["colours"].float() / 255)
        self._learn_matching(raw, clip["labels"], int(clip["objects"]))
        with torch.no_grad():
            embedding = F.normalize(self.network.embed(raw.f8, raw.f16, raw.f32).float(), dim=1)
        context = F.relu(self.network.context(raw.f8, raw.f16, raw.f32).float())
        window = self._window(clip["labels"], (embedding.shape[-2], embedding.shape[-1]))
        cut8, cut4, cut2 = (_cut(window, factor) for factor in (1, 2, 4))
        whole = Encoded(embedding, context, raw.f4, raw.colours)
        encoded = Encoded(*(part[(..., *cut)] for part, cut in zip(whole, (cut8, cut8, cut4, cut2), strict=True)))
        flows = [
            (clip[name][(..., *cut4)].float(), clip[f"{name}_trust"][(..., *cut4)].float() / 255)
            for name in ("back", "forth")
        ]
        gap = float(self.random.uniform(*GAP))
        truth = clip["labels"][(..., *cut2)]
        return Scene(
            embedding,
            clip["labels"],
            usable_drawn_masks(clip),
            encoded,
            truth,
            flows[0],
            flows[1],
            int(clip["objects"]),
            gap,
            (4 * window[0], 4 * window[1]),
        )

    def _window(self, labels: Tensor, cells: tuple[int, int]) -> tuple[int, int, int, int]:
        """Choose the window of a clip at random: first row, first column, rows and columns of cells.

        `labels` [T, 4h, 4w] are the true masks, `cells` are the rows and columns of cells of a frame. In most
        cases the window contains a part of an object in some frame.
        """
        height, width = min(self.window[0], cells[0]), min(self.window[1], cells[1])
        t = int(self.random.integers(len(labels)))
        small = labels[t, 2::4, 2::4].cpu().numpy()
        ys, xs = np.nonzero((small > 0) & (small != IGNORE))
        y, x = int(self.random.integers(cells[0])), int(self.random.integers(cells[1]))
        if len(ys) and self.random.random() < 0.9:
            chosen = int(self.random.integers(len(ys)))
            y, x = int(ys[chosen]), int(xs[chosen])
        y0 = int(np.clip(y - self.random.uniform(0.2, 0.8) * height, 0, cells[0] - height))
        x0 = int(np.clip(x - self.random.uniform(0.2, 0.8) * width, 0, cells[1] - width))
        return y0, x0, height, width

    # --- matching -------------------------------------------------------------------------------------------------

    def _learn_matching(self, raw: Raw, labels: Tensor, objects: int) -> None:
        """Add the loss of the embedding: how well matching a frame with another frame predicts its mask."""
        a, b = (int(i) for i in self.random.choice(len(labels), 2, replace=False))
        pair = torch.tensor([a, b], device=self.device)
        embedded = self.network.embed(raw.f8[pair], raw.f16[pair], raw.f32[pair]).float()
        memory, query = (F.normalize(part.flatten(1).T, dim=1) for part in embedded)
        shares = self._shares(labels[a], objects)
        wanted = self._shares(labels[b], objects)
        known = (F.avg_pool2d((labels[b] != IGNORE).float()[None, None], 4) > 0.9).flatten()
        where = torch.nonzero(known).flatten()
        inside = torch.nonzero(known & (wanted[:, 1:].sum(1) > 0.2)).flatten()
        if not len(where) or not len(inside):
            return
        half = SAMPLED // 2
        chosen = torch.cat([self._some(inside, half), self._some(where, half)])
        read = torch.softmax(query[chosen] @ memory.T * self.network.sharpness.exp(), 1) @ shares
        self.matching.append(-(wanted[chosen] * read.clamp_min(1e-4).log()).sum(1).mean())

    def _some(self, where: Tensor, count: int) -> Tensor:
        return where[torch.from_numpy(self.random.integers(len(where), size=count)).to(where.device)]

    def _shares(self, labels: Tensor, objects: int) -> Tensor:
        """Return the share of each cell that the background and each object cover, [cells, objects + 1]."""
        numbers = torch.arange(1, objects + 1, device=labels.device)[:, None, None]
        own = F.avg_pool2d((labels[None] == numbers).float()[None], 4)[0].flatten(1).T
        return torch.cat([1 - own.sum(1, keepdim=True), own], 1)

    # --- rounds ---------------------------------------------------------------------------------------------------

    def play(self) -> tuple[Tensor, dict[str, float]]:
        starts = [self._start(scene) for scene in self.scenes]
        first = self._round(starts, [None] * len(self.scenes), "first")
        corrected = [self._worst(index, found) for index, found in enumerate(first)]
        earlier: list[dict[int, Tensor] | None] = list(first)
        self._round(corrected, earlier, "second")
        figures = {key: sum(values) / len(values) for key, values in self.figures.items()}
        loss = torch.stack(self.losses).mean()
        if self.matching:
            matching = torch.stack(self.matching).mean()
            figures["matching"] = float(matching.detach())
            loss = loss + matching
        return loss, figures

    def _start(self, scene: Scene) -> int:
        """Choose the frame that is annotated first.

        With the probability DRAWN it is one whose mask is made from scribbles, if there is one.
        """
        drawn = torch.nonzero((scene.drawn != IGNORE).flatten(1).any(1)).flatten().tolist()
        if drawn and self.random.random() < DRAWN:
            return int(self.random.choice(drawn))
        return random_start(self.random, len(scene.labels))

    def _worst(self, index: int, found: dict[int, Tensor]) -> int:
        """Choose the frame of a clip to correct: in four of ten cases a random frame, else that with the lowest J.

        `found` are the probability maps of the first round, by frame.
        """
        if self.random.random() < 0.4:
            return int(self.random.choice(list(found)))
        scene = self.scenes[index]
        overlaps = {}
        for t, masks in found.items():
            truth = F.avg_pool2d(scene.one_hot(scene.truth[t])[None], 2)[0]
            overlaps[t] = float(torch.minimum(masks, truth).sum() / torch.maximum(masks, truth).sum().clamp_min(1))
        return min(overlaps, key=lambda t: overlaps[t])

    def _round(self, starts: list[int], earlier: list[dict[int, Tensor] | None], name: str) -> list[dict[int, Tensor]]:
        """Run a round on all clips: annotate the frames `starts`, one in each clip, and propagate outward from them.

        `earlier` are the probability maps of an earlier round, `name` is the name of the round in the figures. Return,
        for each clip, the probability maps at stride 4 by frame.
        """
        for index, start in enumerate(starts):
            self._annotate(index, start)
        memories = [self._memory(index) for index in range(len(self.scenes))]
        found: list[dict[int, Tensor]] = [{} for _ in self.scenes]
        orders = [self._order(index, start) for index, start in enumerate(starts)]
        for number, step in enumerate(zip(*orders, strict=True)):
            if number and number % 2 == 0:
                memories = [
                    self._memory(index, _same_side(found[index], t, starts[index])) for index, (t, _) in enumerate(step)
                ]
            cues = [
                self._cues(index, t, before, starts[index], memories[index], earlier[index], found[index])
                for index, (t, before) in enumerate(step)
            ]
            answers = self._decode([t for t, _ in step], cues, name)
            for index, (t, _) in enumerate(step):
                found[index][t] = answers[index]
        return found

    def _order(self, index: int, start: int) -> list[tuple[int, int]]:
        """Return the frames to segment, first those after `start` and then those before it, outward.

        Each comes with the adjacent frame from which it is segmented. Annotated frames are left out.
        """
        length = len(self.scenes[index].labels)
        after = [(t, t - 1) for t in range(start + 1, length)]
        before = [(t, t + 1) for t in range(start - 1, -1, -1)]
        return [pair for pair in after + before if pair[0] not in self.given[index]]

    def _annotate(self, index: int, t: int) -> None:
        scene = self.scenes[index]
        masks = scene.one_hot(scene.labels[t])
        if bool((scene.drawn[t] != IGNORE).any()):
            masks = scene.one_hot(scene.drawn[t])
        elif self.random.random() < DAMAGED:
            masks = damage(masks, self.noise)
        self.given[index][t] = masks

    def _memory(self, index: int, answers: dict[int, Tensor] | None = None) -> Memory:
        """Make the memory of clip `index` from its annotated frames and, with less weight, from predicted masks.

        `answers` are the masks that the network predicted in this round, at stride 4, by frame. The newest of them are
        used.
        """
        scene, given = self.scenes[index], self.given[index]
        cells = torch.cat([scene.full[t].flatten(1).T for t in given])
        shares = torch.cat([F.avg_pool2d(masks[None], 4)[0].flatten(1).T for masks in given.values()])
        kept = (shares.sum(1) > 0) | (torch.rand(len(cells), generator=self.noise) < KEPT).to(cells.device)
        weights = torch.where(shares.sum(1, keepdim=True) > 0, 1.0, 1 / KEPT).expand_as(shares)
        rows = [(cells[kept], shares[kept], weights[kept])]
        for t, masks in list((answers or {}).items())[-ANSWERS:]:
            own = F.avg_pool2d(masks[None], 2)[0].flatten(1).T
            rows.append((scene.encoded.embedding[t].flatten(1).T, own, torch.full_like(own, ANSWER_WEIGHT)))
        return remembered(*(torch.cat(parts) for parts in zip(*rows, strict=True)))

    @torch.no_grad()
    def _cues(
        self,
        index: int,
        t: int,
        before: int,
        start: int,
        memory: Memory,
        earlier: dict[int, Tensor] | None,
        found: dict[int, Tensor],
    ) -> Cues:
        scene = self.scenes[index]
        given = self.given[index].get(before)
        masks = found[before] if given is None else F.avg_pool2d(self._in_window(scene, given)[None], 2)[0]
        flow, trust = scene.back if before < t else scene.forth
        number = min(before, t)
        neighbour = Neighbour(scene.encoded.embedding[before], masks, flow[number], trust[number])
        others = [abs(t - other) * scene.gap for other in self.given[index] if other != start]
        network = self.network
        with torch.autocast(self.device.type, enabled=False):
            return gather_cues(
                scene.encoded.embedding[t],
                memory,
                neighbour,
                None if earlier is None else earlier[t],
                (abs(t - start) * scene.gap, min(others, default=1000.0)),
                (network.sharpness.exp(), network.near_sharpness.exp()),
            )

    def _in_window(self, scene: Scene, masks: Tensor) -> Tensor:
        y, x = scene.window
        height, width = scene.truth.shape[-2:]
        return masks[:, y : y + height, x : x + width]

    def _decode(self, frames: list[int], cues: list[Cues], name: str) -> list[Tensor]:
        """Segment one frame of each clip, and return the probability maps at stride 4.

        `cues` are the maps that the decoder gets for each clip. The losses are added to those of the step under `name`.
        """
        seen = []
        for part in ("context", "f4", "colours"):
            rows = [getattr(s.encoded, part)[t][None].expand(s.objects, -1, -1, -1) for s, t in self._pairs(frames)]
            seen.append(_last(torch.cat(rows)))
        coarse, fine = _last(torch.cat([c.coarse for c in cues])), _last(torch.cat([c.fine for c in cues]))
        logits, sure = self.network.decoder((seen[0], seen[1], seen[2]), coarse, fine)
        sizes = [scene.objects for scene in self.scenes]
        answers = []
        for scene, t, own, expected in zip(
            self.scenes, frames, logits.float().split(sizes), sure.float().split(sizes), strict=True
        ):
            masks = compete(own)
            self._note(masks, expected, scene.truth[t], name)
            answers.append(F.avg_pool2d(masks[1:].detach()[None], 2)[0])
        return answers

    def _pairs(self, frames: list[int]) -> list[tuple[Scene, int]]:
        return list(zip(self.scenes, frames, strict=True))

    def _note(self, masks: Tensor, expected: Tensor, truth: Tensor, name: str) -> None:
        """Add the loss of a frame: the cross-entropy, 1 - soft J, and the error of the estimated J.

        Args:
            masks: probabilities of background and objects, [n + 1, h, w].
            expected: logits of the J that the decoder estimates, [n].
            truth: the true mask, [h, w]; IGNORE where it is unknown.
            name: the name of the round in the figures.
        """
        known = (truth != IGNORE).float()
        labels = torch.where(truth == IGNORE, 0, truth).long()
        cross = -(masks.gather(0, labels[None])[0].clamp_min(1e-5).log() * known).sum() / known.sum().clamp_min(1)
        y = F.one_hot(labels, len(masks)).permute(2, 0, 1)[1:].float() * known
        p = masks[1:] * known
        hit, union = (p * y).sum((1, 2)), (p + y - p * y).sum((1, 2))
        missed = (1 - (hit + 1) / (union + 1)) * (y.sum((1, 2)) > 0)
        hard = (masks.argmax(0)[None] == torch.arange(1, len(masks), device=masks.device)[:, None, None]) * known
        hard_union = torch.maximum(hard, y).sum((1, 2))
        j = torch.where(hard_union > 0, torch.minimum(hard, y).sum((1, 2)) / hard_union.clamp_min(1), 1.0)
        sure = F.binary_cross_entropy_with_logits(expected, j)
        self.losses.append(4 * cross + missed.mean() + SURE * sure)
        shown = y.sum((1, 2)) > 20
        if shown.any():
            self.figures.setdefault(f"j_{name}", []).append(float(j[shown].mean()))
        self.figures.setdefault("cross", []).append(float(cross.detach()))


def _same_side(found: dict[int, Tensor], t: int, start: int) -> dict[int, Tensor]:
    """Return those of the masks `found`, by frame, that lie on the same side of the frame `start` as the frame `t`."""
    return {frame: masks for frame, masks in found.items() if (frame > start) == (t > start)}


def mirrored(clip: dict[str, Tensor]) -> dict[str, Tensor]:
    """Mirror a clip and its stored features from left to right.

    Mirrored features differ slightly from the features of mirrored frames.
    """
    turned = {name: part if part.ndim < 3 else part.flip(-1) for name, part in clip.items()}
    for name in ("back", "forth"):
        turned[name] = turned[name] * torch.tensor([-1, 1], device=turned[name].device).view(1, 2, 1, 1)
    return turned


def _cut(window: tuple[int, int, int, int], factor: int) -> tuple[slice, slice]:
    y, x, height, width = (factor * value for value in window)
    return slice(y, y + height), slice(x, x + width)


def _last(part: Tensor) -> Tensor:
    return part.contiguous(memory_format=torch.channels_last)
