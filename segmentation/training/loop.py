"""The training loop for all engines: steps, moving average, cosine schedule, and checkpoints for exact resuming."""

from __future__ import annotations

import csv
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from segmentation.checkpoints import load_state, read_checkpoint, save_checkpoint
from segmentation.training.clips import Clip, Clips
from segmentation.training.plan import Plan
from segmentation.training.sources import DataError, Sources
from segmentation.training.stored_clips import ClipStore
from segmentation.training.trunks import refuse_another_trunk
from segmentation.weights import find_weights

SAVE_EVERY = 240.0  # seconds
CHECKPOINT, LOG = "checkpoint.pt", "log.csv"
LOG_EVERY = 20  # steps
ECHO = 8  # how many new batches are made between two uses of the same batch


def say_at_once(line: str) -> None:
    """Print a line and flush it, because a run is often watched through a pipe or a file, which Python buffers."""
    print(line, flush=True)


class TrainingStopped(RuntimeError):
    """The run cannot continue. The message says why, and which files remain."""


class Objective(Protocol):
    """The training of one engine's network: how clips are prepared, and what the loss is.

    `prepare` is called in the processes that make clips. `loss` gets what `prepare` returned for the clips of a step.
    The random generators that both get depend only on the seed and the number of the clip or step.
    """

    @property
    def network(self) -> nn.Module: ...

    @property
    def parts(self) -> Mapping[str, nn.Module]:
        """Return the modules of `network` that are exported as checkpoints, by the names of these networks."""
        ...

    @property
    def prepare(self) -> Callable[[Clip, np.random.Generator], Any]: ...

    half: bool  # whether to train in bfloat16
    progress: float  # progress of the run, 0..1, set by the loop

    def loss(self, clips: list[Any], random: np.random.Generator) -> tuple[Tensor, dict[str, float]]: ...

    def validate(self, network: nn.Module, sources: Sources) -> dict[str, float]:
        """Evaluate the network on the validation videos, and return results by name.

        The weights with the highest "score" are exported.
        """
        ...


@dataclass
class Run:
    """A training run and its folder with checkpoint.pt, log.csv and <network>.safetensors.

    checkpoint.pt has everything that is needed to resume the run. <network>.safetensors has the averaged weights with
    the best validation score, in the form that an engine loads.
    """

    plan: Plan
    objective: Objective
    sources: Sources
    out: Path
    hours: float | None = None
    validate_every: float = 1200.0  # seconds
    workers: int = 1
    say: Callable[[str], None] = say_at_once
    step: int = 0
    elapsed: float = 0.0
    best: float = -math.inf
    _waited: float = field(default=0.0, init=False)  # seconds spent waiting for data since the last line of the log

    def __post_init__(self) -> None:
        network = self.objective.network
        self.average = {key: value.detach().clone() for key, value in network.state_dict().items()}
        self.optimizer = torch.optim.AdamW(
            _groups(network, self.plan.weight_decay), lr=self.plan.learning_rate, betas=(0.9, 0.99)
        )

    @property
    def progress(self) -> float:
        """Return the progress of the run, 0..1, measured in time if hours are given, otherwise in steps."""
        done = self.elapsed / (3600 * self.hours) if self.hours else self.step / self.plan.steps
        return min(1.0, done)

    def resume(self) -> bool:
        """Load checkpoint.pt, and return whether there was one.

        Raises TrainingStopped if it belongs to another plan.
        """
        path = self.out / CHECKPOINT
        if not path.is_file():
            return False
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["plan"] != repr(self.plan):
            raise TrainingStopped(f"{path} was made by another plan: give another --out, or remove it")
        self.objective.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average = {key: value.to(self.average[key].device) for key, value in state["average"].items()}
        self.step, self.elapsed, self.best = state["step"], state["elapsed"], state["best"]
        torch.set_rng_state(state["random"])
        return True

    def save(self) -> None:
        """Write the checkpoint to a temporary file and replace the old one with it."""
        state = {
            "plan": repr(self.plan),
            "network": self.objective.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "step": self.step,
            "elapsed": self.elapsed,
            "best": self.best,
            "random": torch.get_rng_state(),
        }
        write_whole(self.out / CHECKPOINT, state)

    def train(self) -> None:
        """Train until the planned steps are done or the hours are over.

        Raises TrainingStopped if the loss is not finite or a file cannot be written, and DataError if the clips of a
        batch cannot be made.
        """
        network = self.objective.network
        saved = validated = time.monotonic()
        started = saved - self.elapsed
        batches = self._batches()
        sums: dict[str, float] = {}
        while self.progress < 1.0:
            waiting = time.monotonic()
            clips = next(batches)
            self._waited += time.monotonic() - waiting
            figures = self._step(clips)
            for key, value in figures.items():
                sums[key] = sums.get(key, 0.0) + value
            self.elapsed = time.monotonic() - started
            if self.step == 1:
                self.say(f"the first step took {self.elapsed:.1f} s; there is a line every {LOG_EVERY} steps")
            if self.step % LOG_EVERY == 0:
                self._log({key: value / LOG_EVERY for key, value in sums.items()})
                sums = {}
            now = time.monotonic()
            if now - saved > SAVE_EVERY:
                self.save()
                saved = now
            if now - validated > self.validate_every:
                self._validate(network)
                validated = time.monotonic()
        self._validate(network)
        self.save()

    def _step(self, clips: list[Any]) -> dict[str, float]:
        random = np.random.default_rng([self.plan.seed, 1, self.step])
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        self.objective.progress = self.progress
        self.objective.network.train()
        loss, figures = self.objective.loss(clips, random)
        if not torch.isfinite(loss):
            kept = "the last checkpoint is good" if (self.out / CHECKPOINT).is_file() else "there is no checkpoint yet"
            raise TrainingStopped(f"step {self.step}: the loss is {loss.item()}; in {self.out} {kept}")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.objective.network.parameters(), self.plan.clip_gradient)
        self.optimizer.step()
        self.step += 1
        self._follow_average()
        return {"loss": float(loss.detach()), **figures}

    def rate(self) -> float:
        """Return the learning rate: a linear warm-up, then a cosine down to a hundredth."""
        warm = min(1.0, (self.step + 1) / max(1, self.plan.warmup))
        return self.plan.learning_rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * self.progress)))

    @torch.no_grad()
    def _follow_average(self) -> None:
        # The average has a faster decay at the start, so that it forgets the first weights.
        decay = min(self.plan.average, (1 + self.step) / (10 + self.step))
        for key, value in self.objective.network.state_dict().items():
            if value.dtype.is_floating_point:
                self.average[key].lerp_(value, 1 - decay)
            else:
                self.average[key].copy_(value)

    def _validate(self, network: nn.Module) -> None:
        own = {key: value.clone() for key, value in network.state_dict().items()}
        try:
            network.load_state_dict(self.average)
            figures = self.objective.validate(network.eval(), self.sources)
            if figures["score"] > self.best:
                self._ship(figures)
                self.best = figures["score"]
        finally:  # Ctrl+C saves a checkpoint, which must have the network's own weights and not their average.
            network.load_state_dict(own)
        self._log({f"val_{key}": value for key, value in figures.items()})

    def _ship(self, figures: dict[str, float]) -> None:
        """Export the network's weights in half precision for the engine, with `figures` in the header of the file."""
        notes = {"steps": str(self.step), "hours": f"{self.elapsed / 3600:.2f}"}
        notes.update({f"validation_{key}": f"{value:.4f}" for key, value in figures.items()})
        for name, part in self.objective.parts.items():
            with _complete(self.out / f"{name}.safetensors") as path:
                save_checkpoint(path, name, part, notes)

    def _batches(self) -> Iterator[list[Any]]:
        """Yield the batches of the steps from the present step on, made with the settings of each step's stage.

        There is one data loader for the whole run, whose processes are forked before PyTorch starts threads. A process
        that is forked later can wait forever for threads that exist only in its parent.

        Raises DataError if the clips of a batch cannot be made.
        """
        made = [Clips(self.sources, stage.clips, self.plan.seed + i) for i, stage in enumerate(self.plan.stages)]
        sizes = [stage.batch for stage in self.plan.stages]
        store = getattr(self.objective, "store", None)
        data = _Batches(made, sizes, self.objective.prepare, kept=ECHO * self.plan.uses, store=store)
        for batch in DataLoader(
            data,
            batch_size=None,
            sampler=_Steps(self),
            num_workers=self.workers,
            prefetch_factor=4 if self.workers else None,
        ):
            if isinstance(batch, DataError):
                raise batch
            yield batch

    def _log(self, figures: dict[str, float]) -> None:
        line = {"step": self.step, "hours": round(self.elapsed / 3600, 4), "rate": self.rate(), **figures}
        line["waited"] = round(self._waited, 2)
        self._waited = 0.0
        with (self.out / LOG).open("a", newline="") as file:
            csv.writer(file).writerow([f"{key}={value:.6g}" for key, value in line.items()])
        shown = "  ".join(f"{key} {value:.4g}" for key, value in line.items())
        self.say(f"{100 * self.progress:5.1f} %  {shown}")


class _Steps(Sampler[tuple[int, int]]):
    """Yields (index of the stage, number of the batch) for each step of a run from the present one on, without end."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def __iter__(self) -> Iterator[tuple[int, int]]:
        plan = self.run.plan
        for step in count(self.run.step):
            # If hours are given, the stage depends on the time. The data loader is a few steps ahead, so that a stage
            # begins a few steps early.
            progress = self.run.progress if self.run.hours else step / plan.steps
            yield plan.stages.index(plan.stage(progress)), echoed(step, plan.uses)


class _Batches(Dataset[list[Any] | DataError]):
    """Prepared batches by (index of the stage, number of the batch).

    A DataError is returned instead of raised, because a data loader would put the traceback of its process into the
    message.

    Every batch is used several times (data echoing, Choi et al. 2019), each time with different random corrections.
    This saves time if the same cores make clips and train. The last `kept` batches are cached.
    """

    def __init__(
        self,
        clips: list[Clips],
        sizes: list[int],
        prepare: Callable[[Clip, np.random.Generator], Any],
        kept: int,
        store: ClipStore | None = None,
    ) -> None:
        self.clips, self.sizes, self.prepare, self.kept, self.store = clips, sizes, prepare, kept, store
        self.made: dict[tuple[int, int], list[Any]] = {}

    def __getitem__(self, index: tuple[int, int]) -> list[Any] | DataError:
        if index not in self.made:
            cv2.setNumThreads(1)  # leaves the other cores to the training process
            stage, number = index
            size = self.sizes[stage]
            try:
                self.made[index] = [self._made(self.clips[stage], number * size + i) for i in range(size)]
            except DataError as error:
                return error
            self.made = {key: batch for key, batch in self.made.items() if key[1] > number - self.kept}
        return self.made[index]

    def _made(self, clips: Clips, number: int) -> Any:
        def make(number: int) -> Any:
            return self.prepare(clips[number], np.random.default_rng([clips.seed, 2, number]))

        return make(number) if self.store is None else self.store.get(clips.key, number, make)


def echoed(step: int, uses: int) -> int:
    """Return the number of the batch for a step if each batch is used in `uses` steps.

    Of `uses` consecutive steps, the first uses a new batch, and the others the batches that were new ECHO, 2 * ECHO,
    ... batches ago. Where there are no such batches yet, they use the new one, too.
    """
    number, again = divmod(step, uses)
    return number - again * ECHO if number >= again * ECHO else number


def _groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Return parameter groups for the optimiser: weights with the weight decay `decay`, biases and norms without."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def start_from(objective: Objective, source: Path) -> None:
    """Initialise the objective's networks with the weights in `source`, a file or a folder of <network>.safetensors.

    Keys that begin with a prefix in `objective.anew` may be missing: their tensors keep their initial values. If the
    objective has a method `translated`, it converts weights of a related network first.

    Raises WeightsMissing or WeightsError, the latter for weights of another configuration or trunk.
    """
    for name, part in objective.parts.items():
        learns = [parameter.requires_grad for parameter in part.parameters()]
        given, own = read_checkpoint(find_weights(name, source)), part.state_dict()
        refuse_another_trunk(part, given)
        tensors = _translated(objective, given.tensors)
        rest = {key: own[key] for key in own.keys() - tensors.keys() if key.startswith(_anew_of(objective))}
        load_state(part, replace(given, tensors={**tensors, **rest}))
        for parameter, wanted in zip(part.parameters(), learns, strict=True):
            parameter.requires_grad_(wanted)


def _anew_of(objective: Objective) -> tuple[str, ...]:
    return getattr(objective, "anew", ())


def _translated(objective: Objective, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    translate: Callable[[dict[str, Tensor]], dict[str, Tensor]] | None = getattr(objective, "translated", None)
    return tensors if translate is None else translate(tensors)


def write_whole(path: Path, state: Any) -> None:
    """Save `state` by torch.save to a temporary file that is then renamed to `path`.

    Raises TrainingStopped if that fails.
    """
    with _complete(path) as path:
        part = path.with_suffix(".part")
        torch.save(state, part)
        os.replace(part, path)


@contextmanager
def _complete(path: Path) -> Iterator[Path]:
    """Context manager for code that writes the file `path`, which it yields.

    If that fails, unfinished files (*.part) in its folder are removed, and TrainingStopped is raised.
    """
    try:
        yield path
    except (OSError, RuntimeError, SafetensorError) as error:
        for part in path.parent.glob("*.part"):
            if part.is_file():
                part.unlink()
        free = shutil.disk_usage(path.parent).free >> 20
        raise TrainingStopped(f"{path} cannot be written ({error}); {free} MB are free there") from error
