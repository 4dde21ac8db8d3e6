"""Makes random weights for networks of the papers' sizes, to measure and test the speed and memory of these networks.

The project has no trained weights of these sizes. Masks computed with random weights mean nothing.
"""

from __future__ import annotations

from pathlib import Path

import torch

from segmentation.checkpoints import network_class, save_checkpoint
from segmentation.evaluation.golden.rules import fill_network

SEED = 1  # seed of the deterministic weights of the golden comparison
GAINS: dict[str, dict[str, float | None]] = {
    # For each engine and network: the gain of the golden rule, or None for PyTorch's initialisation.
    "stm": {"stm": 1.0},
    "stm-semi": {"stm-semi": 1.0},
    "ipn": {"ipn-inet": 0.7, "ipn-pnet": 0.7},
    "manet": {"manet": 0.9},
    "strnn": {"strnn": None},
}


def paper_weights(engine: str, folder: Path) -> str:
    """Write a checkpoint of each network of `engine` into `folder`, and return the folder for `EngineSettings.weights`.

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
