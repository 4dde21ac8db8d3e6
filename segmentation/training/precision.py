"""Chooses whether to train in half precision (bfloat16), which needs hardware that supports it."""

from __future__ import annotations

import torch

PRECISIONS = ("auto", "float32", "bfloat16")


def computes_in_half(name: str, device: torch.device) -> bool:
    """Return whether to train in bfloat16 for the precision called `name`.

    For "auto" this is so on CUDA and on CPUs that PyTorch knows to have AVX-512 instructions for bfloat16, with which
    convolutions are faster than in float32. Most other CPUs emulate bfloat16, which is slower than float32. Raises
    ValueError for an unknown name.
    """
    if name not in PRECISIONS:
        raise ValueError(f"precision: unknown {name!r}, known are {', '.join(PRECISIONS)}")
    if name != "auto":
        return name == "bfloat16"
    if device.type == "cuda":
        return True
    asked = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # not a public function, so it may be missing
    return asked is not None and bool(asked())


def mixed(device: torch.device, half: bool) -> torch.autocast:
    """Return an autocast context in which, if `half`, convolutions and matrix products are computed in bfloat16.

    Weights stay float32.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=half)
