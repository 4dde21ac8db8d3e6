"""Makes random weights for the published systems' networks at the papers' sizes, to measure their speed and memory.

The project has no trained weights of these sizes. Masks that are computed with random weights mean nothing.
"""

from __future__ import annotations

from pathlib import Path

import torch

from segmentation.checkpoints import network_class, save_checkpoint
from segmentation.evaluation.golden.rules import fill_network

SEED = 1  # seed of the deterministic weights of the golden comparison
GAINS: dict[str, dict[str, float | None]] = {
    # By engine and network: the gain for `golden.rules.fill_network`, or None for PyTorch's initialisation.
    "stm": {"stm": 1.0},
    "stm-semi": {"stm-semi": 1.0},
    "ipn": {"ipn-inet": 0.7, "ipn-pnet": 0.7},
    "manet": {"manet": 0.9},
    "strnn": {"strnn": None},
}


def paper_weights(engine: str, folder: Path) -> str:
    """Write a checkpoint with random weights for each network of `engine` into `folder`.

    Returns the folder as a text, for `EngineSettings.weights`.

    Raises:
        ValueError: the engine is not one of the published systems.
    """
    if engine not in GAINS:
        raise ValueError(f"engine: {engine!r} has no paper's size, known are {', '.join(GAINS)}")
    for name, gain in GAINS[engine].items():
        torch.manual_seed(SEED)
        network = network_class(name)()
        if gain is not None:
            fill_network(network, SEED, gain)
        save_checkpoint(folder / f"{name}.safetensors", name, network)
    return str(folder)
