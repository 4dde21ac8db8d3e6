"""Tests that sessions share a copy of a network, that the last one frees it, and that a changed file is read again."""

import gc
from pathlib import Path

import pytest
import torch
from torch import nn

from segmentation.checkpoints import save_checkpoint
from segmentation.engines.stm.network import InteractiveSTM, STMConfig
from segmentation.networks.resnet import ResNetConfig
from segmentation.runtime import shared_networks
from segmentation.runtime.folding import for_inference
from segmentation.weights import WeightsMissing

TINY = STMConfig(
    body=ResNetConfig(blocks=(1, 1, 1), strides=(1, 2, 2), width=4), keys=4, values=4, width=4, frame_size=(32, 48)
)
CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, seed=1)
    return tmp_path


def write(folder: Path, seed: int) -> None:
    torch.manual_seed(seed)
    save_checkpoint(folder / "stm.safetensors", "stm", InteractiveSTM(TINY))


def opened(folder: Path, dtype: torch.dtype = torch.float32) -> InteractiveSTM:
    return shared_networks.shared_network(InteractiveSTM, "stm", folder, CPU, dtype, for_inference)


def first_weight(network: nn.Module) -> torch.Tensor:
    return next(network.parameters()).detach().clone()


def test_sessions_share_one_network_while_one_is_open(folder: Path) -> None:
    first, second = opened(folder), opened(folder)
    assert first is second
    assert opened(folder, torch.bfloat16) is not first
    before = len(shared_networks._kept)
    del first, second
    gc.collect()
    assert len(shared_networks._kept) < before


def test_a_file_that_changed_is_read_anew(folder: Path) -> None:
    first = opened(folder)
    write(folder, seed=2)
    assert not torch.equal(first_weight(opened(folder)), first_weight(first))


def test_a_missing_file_is_said_as_ever(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="has none of"):
        opened(tmp_path)
