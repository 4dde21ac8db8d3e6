"""Tests of when training computes in half precision, and what of it."""

import pytest
import torch

from segmentation.training.precision import computes_in_half, mixed

CPU = torch.device("cpu")


def test_it_does_what_it_is_told_and_else_what_the_machine_can(monkeypatch: pytest.MonkeyPatch) -> None:
    assert computes_in_half("bfloat16", CPU)
    assert not computes_in_half("float32", torch.device("cuda"))
    assert computes_in_half("auto", torch.device("cuda"))
    for can in (True, False):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda can=can: can, raising=False)
        assert computes_in_half("auto", CPU) == can
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported")
    assert not computes_in_half("auto", CPU)
    with pytest.raises(ValueError, match="known are auto, float32, bfloat16"):
        computes_in_half("float8", CPU)


@pytest.mark.parametrize("half", [True, False])
def test_convolutions_are_in_half_and_weights_are_not(half: bool) -> None:
    layer = torch.nn.Conv2d(3, 4, 3)
    with mixed(CPU, half):
        out = layer(torch.rand(1, 3, 8, 8))
    assert out.dtype == (torch.bfloat16 if half else torch.float32)
    out.float().sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.dtype == torch.float32
