"""Trains STM on clips, short sequences of frames with true masks.

Interactive STM is trained mostly in rounds: annotated frames are the memory, and all frames of a clip are segmented
again in each round. Semi-supervised STM segments the frames of a clip in order, each with all earlier frames as memory.
The query features of each frame are computed once. If a clip has several objects, they compete for each pixel before
the loss is computed.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from segmentation.engine import EngineSettings
from segmentation.engines.stm.engine import InteractiveSTMEngine
from segmentation.engines.stm.network import STM, STRIDE, InteractiveSTM, SpaceTimeMemory, STMConfig
from segmentation.engines.stm.semi import SemiSTMEngine
from segmentation.networks.aggregation import aggregate_logits
from segmentation.networks.memory import MemorySlot
from segmentation.networks.padding import pad, padding_to, unpad
from segmentation.training.objectives.batch import Batch, damage
from segmentation.training.objectives.configs import read_config
from segmentation.training.objectives.cues import correcting_cues, cues_of_pairs
from segmentation.training.objectives.running_means import RunningMeans
from segmentation.training.objectives.warm_start import NormPlan, begin, hold_norms
from segmentation.training.plan import Plan
from segmentation.training.precision import mixed
from segmentation.training.scribbled_clips import ScribbledClip, scribble
from segmentation.training.sources import Sources
from segmentation.training.validation import validate, validate_given

ACCEPTED = 0.15  # Probability that a frame is accepted with its true mask instead of being corrected.
EASY = 0.3  # Share of the training, at its beginning, in which more clips begin with true masks.
WORSE = 0.3  # Probability that a mask gets random errors before it is corrected, like those in long videos.
DRAWN = 0.5  # Probability that a frame with a given mask has scribbles too.
BOTH = 0.5  # Probability that both ends of a clip are annotated, in steps with given masks.
SHARP = 2.0  # Initial factor of the keys, so that reading prefers similar cells, but not only the most similar.
SYSTEMS: dict[str, type[SpaceTimeMemory]] = {"stm": InteractiveSTM, "stm-semi": STM}
Slots = list[MemorySlot]  # A slot for each object of each clip in the step.


class Objective:
    """The training objective of both STM networks. The table [objective] of a training plan sets its options.

    Args:
        plan: the training plan.
        device: the device on which the network is trained.
        system: "stm" (interactive) or "stm-semi" (semi-supervised).
        frozen_norms: whether batch norms stay fixed.
        settle_norms: the share of the training after which batch norms use their running statistics; 0 = never.
        body: the path of pretrained weights, or "" for random weights.
        rounds: the number of rounds on each clip, for interactive STM.
        keep: the share of pixels, those with the largest loss, that always count in the cross-entropy.
        overlap: the weight of (1 - soft J) in the loss.
        given_masks: the probability of a training step in which annotated frames have nearly true masks, as if the
            cutter had segmented them. All other steps are rounds of scribbles.
    """

    prepare = staticmethod(scribble)
    half = False  # Whether to train in half precision. The training loop sets it and `progress`.
    progress = 0.0  # The share of the training that is done, 0..1.

    def __init__(
        self,
        plan: Plan,
        device: torch.device,
        system: str = "stm",
        frozen_norms: bool = False,
        settle_norms: float = 0.0,
        body: str = "",
        rounds: int = 2,
        keep: float = 0.3,
        overlap: float = 1.0,
        given_masks: float = 0.0,
    ) -> None:
        if system not in SYSTEMS:
            raise ValueError(f"system: unknown {system!r}, known are {', '.join(SYSTEMS)}")
        self.norms = NormPlan(frozen_norms, settle_norms)
        self.network: nn.Module = begin(SYSTEMS[system](read_config(STMConfig, plan.network)), self.norms, body, device)
        align(self.network)
        self.parts = {system: self.network}
        self.device, self.rounds, self.keep = device, rounds, keep
        self.overlap, self.given_masks = overlap, given_masks

    def loss(self, clips: list[ScribbledClip], random: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        network = self.network
        assert isinstance(network, SpaceTimeMemory)
        hold_norms(network, self.norms, self.progress)
        means = RunningMeans(self.keep, self.overlap)
        with mixed(self.device, self.half):
            reading = _Reading(network, Batch([drawn.clip for drawn in clips], self.device), means)
            if isinstance(network, STM):
                _carry(reading)
            elif random.random() < self.given_masks:
                _look_up(reading, clips, random)
            else:
                _interact(reading, clips, random, self.rounds, given_at(self.progress))
        return means.result()

    def translated(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Convert weights of interactive STM into initial weights of semi-supervised STM, if that is to be trained.

        The weights for scribbles are left out. The weights for the masks of other objects start with zeros.
        """
        if not isinstance(self.network, STM) or not any(key.startswith(InteractiveSTM.memory_name) for key in tensors):
            return tensors
        names = {InteractiveSTM.memory_name: STM.memory_name, InteractiveSTM.query_name: STM.query_name}
        own = {".".join(names.get(part, part) for part in key.split(".")): value for key, value in tensors.items()}
        other = "Encoder_M.conv1_o.weight"
        known = self.network.state_dict()
        return {**{key: value for key, value in own.items() if key in known}, other: torch.zeros_like(known[other])}

    def validate(self, network: nn.Module, sources: Sources) -> dict[str, float]:
        settings, videos = EngineSettings(device=str(self.device)), sources.validation
        if isinstance(network, STM):
            return validate_given(lambda frames, n: SemiSTMEngine(frames, n, settings, network=network), videos)
        assert isinstance(network, InteractiveSTM)
        return validate(lambda frames, n: InteractiveSTMEngine(frames, n, settings, network=network), videos)


@torch.no_grad()
def align(network: SpaceTimeMemory) -> None:
    """Give the encoders of memory and query the same initial weights, as in the paper.

    Their keys can then be compared from the first training step on. With two independent encoders, the network at first
    reads random cells, and learns to ignore the memory.
    """
    pairs = (
        (network.Encoder_M, network.Encoder_Q),
        (network.get_submodule(network.memory_name), network.get_submodule(network.query_name)),
    )
    for memory, query in pairs:
        memory.load_state_dict({**memory.state_dict(), **query.state_dict()})
    for key in (network.get_submodule(network.memory_name).Key, network.get_submodule(network.query_name).Key):
        assert isinstance(key, nn.Conv2d)
        key.weight.mul_(SHARP)


class _Reading:
    """The encoded clips of a training step, whose frames can be segmented with any memory.

    `t` is the index of a frame in its clip, B the number of clips, N the number of objects in all clips together.
    """

    def __init__(self, network: SpaceTimeMemory, batch: Batch, means: RunningMeans) -> None:
        self.network, self.batch, self.means = network, batch, means
        self.padding = padding_to(STRIDE, *batch.size)
        self.frames = pad(batch.frames, self.padding)  # [B, T, 3, H, W]
        flat = self.frames.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        self.queries = network.encode_queries(flat)  # B * T queries

    def memorize(self, t: int, *cues: Tensor) -> Slots:
        """Encode frame t of all clips into a memory slot for each of N objects. Each of `cues` is [N, H, W]."""
        frames = self.frames[self.batch.clip, t].contiguous(memory_format=torch.channels_last)
        return self.network.memorize(frames, pad(torch.stack(cues, dim=1), self.padding))

    def decode(self, t: int, memory: list[Slots], name: str) -> Tensor:
        """Segment frame t of all clips with `memory`. Return the probability maps [N, H, W], and add their loss.

        The maps are aggregated, so that the objects of a clip compete for each pixel. `name` is the name of the loss in
        the figures.
        """
        batch = self.batch
        queries = [self.queries[b * batch.length + t] for b in batch.clip.tolist()]
        readout = torch.stack([self.network.read([of[i] for of in memory], q) for i, q in enumerate(queries)])
        skips = (torch.stack([q.skip3 for q in queries]), torch.stack([q.skip2 for q in queries]))
        logits = unpad(self.network.Decoder(readout, *skips).float(), self.padding)  # [N, 2, H, W]
        joint = [_joint(self.network, part) for part in batch.by_clip(logits)]
        self.means.add(name, joint, list(batch.labels[:, t]))
        return torch.cat([torch.softmax(part, dim=0)[1:] for part in joint])


def _joint(network: SpaceTimeMemory, logits: Tensor) -> Tensor:
    """Aggregate the logits of a clip's n objects, [n, 2, H, W], into those of background and objects, [n + 1, H, W]."""
    if len(logits) == 1 and isinstance(network, InteractiveSTM):
        return logits[0]  # The engine does not aggregate a single object.
    return aggregate_logits(torch.softmax(logits, dim=1)[:, 1], channels=0)


def given_at(progress: float) -> float:
    """Return the probability that the clips of a step begin with true masks, when the share `progress` (0..1) of the
    training is done.

    It is high at first, because a network learns to propagate a mask sooner than to read scribbles, which are hardly
    visible at 1/16 of the size.
    """
    return ACCEPTED + (1 - ACCEPTED) * max(0.0, 1 - progress / EASY)


def _interact(
    reading: _Reading, clips: list[ScribbledClip], random: np.random.Generator, rounds: int, given: float
) -> None:
    """Run rounds on all clips as the engine does, and add their losses.

    In each round an annotated frame is added to the memory with its mask and scribbles. Then all frames, including the
    annotated frames, are segmented with the memory.

    `given` is the probability that the first frame is accepted with its true mask instead of being drawn on.
    """
    batch = reading.batch
    noise = torch.Generator().manual_seed(int(random.integers(1 << 62)))
    nothing = torch.zeros(len(batch.clip), *batch.size, device=batch.labels.device)
    cues = cues_of_pairs(batch, [drawn.strokes for drawn in clips], both=True)
    if random.random() < given:
        memory = {0: reading.memorize(0, batch.own(batch.labels[:, 0]), nothing, nothing)}
    else:
        memory = {0: reading.memorize(0, nothing, *cues.unbind(1))}
    masks = [reading.decode(t, list(memory.values()), "first" if t == 0 else "next") for t in range(batch.length)]
    for _ in range(1, rounds):
        chosen = int(random.integers(batch.length))
        if random.random() < ACCEPTED:
            memory[chosen] = reading.memorize(chosen, batch.own(batch.labels[:, chosen]), nothing, nothing)
        else:
            before = masks[chosen].detach()
            before = damage(before, noise) if random.random() < WORSE else before
            cues = correcting_cues(batch, chosen, before, random, both=True)
            memory[chosen] = reading.memorize(chosen, before, *cues.unbind(1))
        masks = [
            reading.decode(t, list(memory.values()), "corrected" if t == chosen else "later")
            for t in range(batch.length)
        ]


def _look_up(reading: _Reading, clips: list[ScribbledClip], random: np.random.Generator) -> None:
    """Segment all frames from one or two annotated frames, and add their losses.

    The annotated frames have their true masks, some of them with random errors, and may have scribbles too.
    """
    batch = reading.batch
    noise = torch.Generator().manual_seed(int(random.integers(1 << 62)))
    nothing = torch.zeros(len(batch.clip), *batch.size, device=batch.labels.device)
    annotated = [0, *([batch.length - 1] if batch.length > 2 and random.random() < BOTH else [])]
    memory = []
    for t in annotated:
        masks = batch.own(batch.labels[:, t])
        cues = [nothing, nothing]
        if t == 0 and random.random() < DRAWN:
            cues = list(cues_of_pairs(batch, [drawn.strokes for drawn in clips], both=True).unbind(1))
        memory.append(reading.memorize(t, damage(masks, noise) if random.random() < WORSE else masks, *cues))
    for t in range(batch.length):
        if t not in annotated:
            reading.decode(t, memory, "looked_up")


def _carry(reading: _Reading) -> None:
    """Propagate the true mask of frame 0 to the end of the clips, and add the losses.

    The memory holds all earlier frames, with the masks that the network predicted for them.
    """
    batch = reading.batch
    masks = batch.own(batch.labels[:, 0])
    memory: list[Slots] = []
    for t in range(1, batch.length):
        memory.append(reading.memorize(t - 1, masks, batch.others(masks)))
        masks = reading.decode(t, memory, "next")
