"""Tests choosing devices and precisions by name; others are refused with an error that names the argument."""

from __future__ import annotations

import pytest
import torch

from segmentation.runtime.device import choose_device, choose_precision


def test_auto_is_a_device_that_is_there() -> None:
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "cuda:99999999999", "mps", "meta", "cpu:0", "cuda:-1", "cuda:", ""])
def test_it_refuses_a_device_that_is_not_there(name: str) -> None:
    with pytest.raises(ValueError, match="device"):
        choose_device(name)


def test_auto_precision_is_exact_on_a_cpu_and_half_on_cuda() -> None:
    assert choose_precision("auto", torch.device("cpu")) == torch.float32
    assert choose_precision("auto", torch.device("cuda")) == torch.float16
    assert choose_precision("bfloat16", torch.device("cpu")) == torch.bfloat16


def test_it_refuses_an_unknown_precision() -> None:
    with pytest.raises(ValueError, match="precision"):
        choose_precision("double", torch.device("cpu"))
