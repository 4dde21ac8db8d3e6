"""Helpers for tests of training objectives: tiny clips, training steps, and the parameters without gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from segmentation.training.clips import ClipConfig, Clips
from segmentation.training.loop import Objective
from segmentation.training.sources import Sources


def make_clips(objective: Objective, sources: Sources, config: ClipConfig, count: int) -> list[Any]:
    clips = Clips(sources, config, seed=5)
    return [objective.prepare(clips[i], np.random.default_rng(i)) for i in range(count)]


def learn(objective: Objective, clips: list[Any], steps: int, rate: float = 3e-3) -> list[float]:
    """Train `steps` steps on the same clips and return the losses.

    The scribbles that the objective draws at random differ from step to step.
    """
    optimizer = torch.optim.AdamW([p for p in objective.network.parameters() if p.requires_grad], lr=rate)
    losses = []
    for step in range(steps):
        objective.network.train()
        loss, _ = objective.loss(clips, np.random.default_rng(step))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def untouched(network: nn.Module) -> set[str]:
    """Return the trainable parameters that got no gradient, or a zero gradient, in the last step."""
    return {
        name
        for name, p in network.named_parameters()
        if p.requires_grad and (p.grad is None or not p.grad.abs().sum() > 0)
    }
