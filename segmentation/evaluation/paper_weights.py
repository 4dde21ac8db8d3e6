"""Random weights for networks of the papers' sizes, for measurements and tests of what these networks cost.

The project has no trained weights of these sizes. Masks computed with random weights mean nothing.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from segmentation.checkpoints import save_checkpoint
from segmentation.engines.ipn.network import Inet, Pnet
from segmentation.engines.manet.network import MANet
from segmentation.engines.stm.network import STM, InteractiveSTM
from segmentation.engines.strnn.network import STRNN
from segmentation.evaluation.golden.rules import fill_network

SEED = 1  # of the golden weights
GAINS: dict[str, dict[str, tuple[type[nn.Module], float | None]]] = {
    # For each engine and network: its class and the gain of the golden rule, or None for PyTorch's initialisation.
    "stm": {"stm": (InteractiveSTM, 1.0)},
    "stm-semi": {"stm-semi": (STM, 1.0)},
    "ipn": {"ipn-inet": (Inet, 0.7), "ipn-pnet": (Pnet, 0.7)},
    "manet": {"manet": (MANet, 0.9)},
    "strnn": {"strnn": (STRNN, None)},
}


def paper_weights(engine: str, folder: Path) -> str:
    """Write a checkpoint of each network of `engine` into `folder`, and return the folder for `EngineSettings.weights`.

    Raises:
        ValueError: the engine is not one of the published systems.
    """
    if engine not in GAINS:
        raise ValueError(f"engine: {engine!r} has no paper's size, known are {', '.join(GAINS)}")
    for name, (network_class, gain) in GAINS[engine].items():
        torch.manual_seed(SEED)
        network = network_class()
        if gain is not None:
            fill_network(network, SEED, gain)
        save_checkpoint(folder / f"{name}.safetensors", name, network)
    return str(folder)
