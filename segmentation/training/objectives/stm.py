"""STM learns to read: interactive STM annotated frames, round after round, semi-supervised STM all frames before.

Both encode the frames of a clip once, and decode them again whenever the memory grew, as the engines do. Several
objects of a clip are joined by soft aggregation before the loss is taken.
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

ACCEPTED = 0.15  # probability that instead of being corrected a frame is accepted: its true mask, without scribbles
EASY = 0.3  # of the run: so long true masks come first more often than that
WORSE = 0.3  # that a mask is bent and eaten at before it is corrected: masks of long videos are
DRAWN = 0.5  # that a frame with a good mask has scribbles too
BOTH = 0.5  # that frames on both sides of a clip are annotated, where masks are given
SHARP = 2.0  # factor of the keys at the start: a read that prefers what looks alike, and is not decided yet
SYSTEMS: dict[str, type[SpaceTimeMemory]] = {"stm": InteractiveSTM, "stm-semi": STM}
Slots = list[MemorySlot]  # of one frame: one for each pair


class Objective:
    """Options of a plan's [objective] table.

    Args:
        system: "stm" or "stm-semi".
        frozen_norms, settle_norms: see `NormPlan`.
        body: see `begin`.
        rounds: of interactive STM, in each clip.
        keep, overlap: see `RunningMeans`.
        given: how often a step has annotated frames with good masks, as where somebody (or the cutter) drew them; no
            rounds then. The other steps are rounds of scribbles.
    """

    prepare = staticmethod(scribble)
    half = False  # set by who runs the objective, as `progress` is
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
        given: float = 0.0,
    ) -> None:
        if system not in SYSTEMS:
            raise ValueError(f"system: unknown {system!r}, known are {', '.join(SYSTEMS)}")
        self.network: nn.Module = SYSTEMS[system](read_config(STMConfig, plan.network)).to(device)
        self.norms = NormPlan(frozen_norms, settle_norms)
        begin(self.network, self.norms, body)
        align(self.network)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.parts = {system: self.network}
        self.device, self.rounds, self.keep, self.overlap, self.given = device, rounds, keep, overlap, given

    def loss(self, clips: list[ScribbledClip], random: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        network = self.network
        assert isinstance(network, SpaceTimeMemory)
        hold_norms(network, self.norms, self.progress)
        means = RunningMeans(self.keep, self.overlap)
        with mixed(self.device, self.half):
            reading = _Reading(network, Batch([drawn.clip for drawn in clips], self.device), means)
            if isinstance(network, STM):
                _carry(reading)
            elif random.random() < self.given:
                _look_up(reading, clips, random)
            else:
                _interact(reading, clips, random, self.rounds, given_at(self.progress))
        return means.result()

    def translated(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Semi-supervised STM may begin with weights of interactive STM: what it does not have is left out, and other
        objects' masks, which that one does not look at, mean nothing yet."""
        if not isinstance(self.network, STM) or not any(key.startswith(InteractiveSTM.memory_name) for key in tensors):
            return tensors
        names = {InteractiveSTM.memory_name: STM.memory_name, InteractiveSTM.query_name: STM.query_name}
        own = {".".join(names.get(part, part) for part in key.split(".")): value for key, value in tensors.items()}
        other = "Encoder_M.conv1_o.weight"
        known = self.network.state_dict()
        return {**{key: value for key, value in own.items() if key in known}, other: torch.zeros_like(known[other])}

    def validate(self, network: nn.Module, sources: Sources) -> dict[str, float]:
        settings, shots = EngineSettings(device=str(self.device)), sources.validation
        if isinstance(network, STM):
            return validate_given(lambda frames, n: SemiSTMEngine(frames, n, settings, network=network), shots)
        assert isinstance(network, InteractiveSTM)
        return validate(lambda frames, n: InteractiveSTMEngine(frames, n, settings, network=network), shots)


@torch.no_grad()
def align(network: SpaceTimeMemory) -> None:
    """Let memory and query begin as one network, as in the paper, where both begin as the same classifier.

    Their keys can be compared from the first step on then; two networks that know nothing of each other read at random,
    and learn first to do without the memory.
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
    """The clips of one step: their frames encoded, to be decoded with any memory. t is an index within the clips."""

    def __init__(self, network: SpaceTimeMemory, batch: Batch, means: RunningMeans) -> None:
        self.network, self.batch, self.means = network, batch, means
        self.padding = padding_to(STRIDE, *batch.size)
        self.frames = pad(batch.frames, self.padding)  # [B, T, 3, H, W]
        flat = self.frames.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        self.queries = network.encode_queries(flat)  # B * T of them

    def memorize(self, t: int, *cues: Tensor) -> Slots:
        """Cues [N, H, W], each, of frame t -> the slots of all pairs."""
        frames = self.frames[self.batch.clip, t].contiguous(memory_format=torch.channels_last)
        return self.network.memorize(frames, pad(torch.stack(cues, dim=1), self.padding))

    def decode(self, t: int, memory: list[Slots], name: str) -> Tensor:
        """Masks of all pairs [N, H, W], those of a clip sharing each pixel; their loss is noted under `name`."""
        batch = self.batch
        queries = [self.queries[b * batch.length + t] for b in batch.clip.tolist()]
        readout = torch.stack([self.network.read([of[i] for of in memory], q) for i, q in enumerate(queries)])
        skips = (torch.stack([q.skip3 for q in queries]), torch.stack([q.skip2 for q in queries]))
        logits = unpad(self.network.Decoder(readout, *skips).float(), self.padding)  # [N, 2, H, W]
        joint = [_joint(self.network, part) for part in batch.by_clip(logits)]
        self.means.add(name, joint, list(batch.labels[:, t]))
        return torch.cat([torch.softmax(part, dim=0)[1:] for part in joint])


def _joint(network: SpaceTimeMemory, logits: Tensor) -> Tensor:
    """Logits of a clip's objects, each alone [n, 2, H, W] -> of background and objects [n + 1, H, W]."""
    if len(logits) == 1 and isinstance(network, InteractiveSTM):
        return logits[0]  # its engine leaves a single object as it is
    return aggregate_logits(torch.softmax(logits, dim=1)[:, 1], channels=0)


def given_at(progress: float) -> float:
    """How often a clip begins with a true mask: at first most times. To carry a mask is learned sooner than to
    understand scribbles, of which little is left at 1/16 of the size."""
    return ACCEPTED + (1 - ACCEPTED) * max(0.0, 1 - progress / EASY)


def _interact(
    reading: _Reading, clips: list[ScribbledClip], random: np.random.Generator, rounds: int, given: float
) -> None:
    """Rounds as the engine plays them: an annotated frame enters the memory with the mask it had and the scribbles on
    it, then every frame is a query of its own, the annotated ones too.

    `given`: probability that the first frame is accepted with its true mask, and not drawn on.
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
    """One or two annotated frames, their masks good but not quite true, scribbles on the first or not. All others are
    found from them."""
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
    """The true mask of frame 0, carried to the end; all frames before are memory, with the soft masks found there."""
    batch = reading.batch
    masks = batch.own(batch.labels[:, 0])
    memory: list[Slots] = []
    for t in range(1, batch.length):
        memory.append(reading.memorize(t - 1, masks, batch.others(masks)))
        masks = reading.decode(t, memory, "next")
