"""Networks of the paper's sizes with made-up weights: they cost what trained ones cost, and mean nothing.

What the benchmark programs and the tests of the paper's sizes open an engine with, since no trained weights of these
sizes come with the project.
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
    # engine -> network -> class and gain of the golden rule, None where the network's own beginning does
    "stm": {"stm": (InteractiveSTM, 1.0)},
    "stm-semi": {"stm-semi": (STM, 1.0)},
    "ipn": {"ipn-inet": (Inet, 0.7), "ipn-pnet": (Pnet, 0.7)},
    "manet": {"manet": (MANet, 0.9)},
    "strnn": {"strnn": (STRNN, None)},
}


def paper_weights(engine: str, folder: Path) -> str:
    """Write checkpoints of every network of `engine` into `folder`; returns it, for `EngineSettings.weights`.

    ValueError for an engine that no paper describes.
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
