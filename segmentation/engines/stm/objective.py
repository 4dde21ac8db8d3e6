"""Trains STM: interactive STM in rounds with annotated frames as memory, semi-supervised STM with all earlier frames.

The frames of a clip are encoded once and decoded again whenever the memory has grown, as in the engines. Several
objects of a clip are aggregated before the loss is computed.
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

ACCEPTED = 0.15  # probability that a frame is accepted with its true mask instead of being corrected
EASY = 0.3  # share of the run during which more clips than later begin with true masks
WORSE = 0.3  # probability that a mask is damaged before it is corrected, as in long videos
DRAWN = 0.5  # probability that a frame with a good mask has scribbles too
BOTH = 0.5  # probability of annotated frames at both ends of a clip, where masks are given
SHARP = 2.0  # initial factor of the keys, with which reading prefers similar cells, but not exclusively
SYSTEMS: dict[str, type[SpaceTimeMemory]] = {"stm": InteractiveSTM, "stm-semi": STM}
Slots = list[MemorySlot]  # one slot for each (clip, object) pair


class Objective:
    """Options of a plan's [objective] table.

    Args:
        system: "stm" or "stm-semi".
        frozen_norms, settle_norms: see `NormPlan`.
        body: see `begin`.
        rounds: rounds in each clip, for interactive STM.
        keep, overlap: see `RunningMeans`.
        given_masks: probability of a step whose annotated frames have good masks, as if from another network. The other
            steps are rounds of scribbles.
    """

    prepare = staticmethod(scribble)
    half = False  # set from outside, like `progress`
    progress = 0.0

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
        self.network: nn.Module = SYSTEMS[system](read_config(STMConfig, plan.network)).to(device)
        self.norms = NormPlan(frozen_norms, settle_norms)
        begin(self.network, self.norms, body)
        align(self.network)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
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
        """Convert weights of interactive STM into initial weights of semi-supervised STM.

        Weights of cues that the latter does not have are left out. Its cue of other objects' masks starts with zeros.
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
    """Start the encoders of memory and query with the same weights, as in the paper.

    Then their keys can be compared from the first step on. Two independent encoders read at random at first, and learn
    to ignore the memory.
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
    """The encoded clips of one step, which can be decoded with any memory. `t` is an index within the clips."""

    def __init__(self, network: SpaceTimeMemory, batch: Batch, means: RunningMeans) -> None:
        self.network, self.batch, self.means = network, batch, means
        self.padding = padding_to(STRIDE, *batch.size)
        self.frames = pad(batch.frames, self.padding)  # [B, T, 3, H, W]
        flat = self.frames.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        self.queries = network.encode_queries(flat)  # B * T queries

    def memorize(self, t: int, *cues: Tensor) -> Slots:
        """Encode frame t with cues [N, H, W] into N memory slots, one for each (clip, object) pair."""
        frames = self.frames[self.batch.clip, t].contiguous(memory_format=torch.channels_last)
        return self.network.memorize(frames, pad(torch.stack(cues, dim=1), self.padding))

    def decode(self, t: int, memory: list[Slots], name: str) -> Tensor:
        """Decode the masks of all (clip, object) pairs from `memory`, and add their loss under `name`.

        The masks [N, H, W] are aggregated within each clip.
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
    """Aggregate the logits of a clip's objects: [n, 2, H, W] -> background and objects [n + 1, H, W]."""
    if len(logits) == 1 and isinstance(network, InteractiveSTM):
        return logits[0]  # The engine does not aggregate a single object.
    return aggregate_logits(torch.softmax(logits, dim=1)[:, 1], channels=0)


def given_at(progress: float) -> float:
    """Return the probability that a clip begins with a true mask. It is high at first.

    A network learns to propagate a mask sooner than to read scribbles, which are hardly visible at 1/16 of the size.
    """
    return ACCEPTED + (1 - ACCEPTED) * max(0.0, 1 - progress / EASY)


def _interact(
    reading: _Reading, clips: list[ScribbledClip], random: np.random.Generator, rounds: int, given: float
) -> None:
    """Run rounds as the engine does.

    In each round an annotated frame is added to the memory with its mask and scribbles. Then all frames, including the
    annotated ones, are segmented from the memory.

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
    """Segment all frames from one or two annotated frames with slightly damaged masks, with or without scribbles."""
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
    """Propagate the true mask of frame 0 to the end. All earlier frames are memory, with their predicted masks."""
    batch = reading.batch
    masks = batch.own(batch.labels[:, 0])
    memory: list[Slots] = []
    for t in range(1, batch.length):
        memory.append(reading.memorize(t - 1, masks, batch.others(masks)))
        masks = reading.decode(t, memory, "next")
