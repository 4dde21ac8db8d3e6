"""Tests that the pretended CUDA device raises errors where a GPU does, and computes the same values as the CPU."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

import numpy as np
import pytest
import torch
from torch import nn

from tests.pretend_cuda import pretended_cuda


def test_a_network_computes_there_as_on_the_cpu() -> None:
    torch.manual_seed(0)
    network, images = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()).eval(), torch.randn(2, 3, 8, 8)
    here = network(images).detach()
    with pretended_cuda(), torch.inference_mode():
        there = network.to("cuda")(images.to("cuda"))
        assert str(there.device) == "cuda:0"
        assert torch.equal(there.cpu(), here)


REFUSED: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    "tensors of two devices": (lambda: torch.ones(3, device="cuda") + torch.ones(3), RuntimeError, "one device"),
    "a network that stayed behind": (
        lambda: nn.Linear(3, 2)(torch.ones(3, device="cuda")),
        RuntimeError,
        "one device",
    ),
    "writing across": (
        lambda: torch.ones(3, device="cuda").index_put_((torch.tensor([0]),), torch.ones(1)),
        RuntimeError,
        "one device",
    ),
    "an array of what is there": (lambda: torch.ones(3, device="cuda").numpy(), TypeError, "host memory"),
    "an array by NumPy": (lambda: np.asarray(torch.ones(3, device="cuda")), TypeError, "host memory"),
    "two number formats": (
        lambda: torch.ones(2, 2, device="cuda").half() @ torch.ones(2, 2, device="cuda"),
        RuntimeError,
        "dtype",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_refuses(name: str) -> None:
    act, error, sentence = REFUSED[name]
    with pretended_cuda(), pytest.raises(error, match=sentence):
        act()


def test_reading_and_writing_parts() -> None:
    here = torch.arange(24.0).view(2, 3, 4)
    with pretended_cuda():
        there = here.clone().to("cuda")
        mask = there > 20
        for index in (1, (..., 0), (slice(None), [0, 2]), (None, 1, slice(1, 3)), (0, torch.tensor([2, 0]), 1)):
            assert torch.equal(there[index].cpu(), here[index])
        assert torch.equal(there[mask].cpu(), here[here > 20])
        there[mask] = 0
        there[0, 1] = torch.ones(4)
    here[here > 20] = 0
    here[0, 1] = 1
    assert torch.equal(there.inside, here)  # type: ignore[attr-defined]


def test_gradients_come_back_to_where_a_tensor_was() -> None:
    with pretended_cuda(gradients=True):
        weight = torch.ones(3, requires_grad=True)
        loss = (weight.to("cuda") * torch.arange(3.0).to("cuda")).sum()
        loss.backward()
        assert loss.item() == 3
    assert torch.equal(weight.grad, torch.arange(3.0))  # type: ignore[arg-type]


def test_threads_of_the_block_have_it_too() -> None:
    found: list[str] = []
    with pretended_cuda():
        thread = Thread(target=lambda: found.append(str(torch.zeros(1, device="cuda").device)))
        thread.start()
        thread.join()
    assert found == ["cuda:0"]


def test_after_the_block_there_is_no_cuda_device() -> None:
    with pretended_cuda():
        assert torch.cuda.is_available()
    assert not torch.cuda.is_available() or torch.cuda.device_count()
