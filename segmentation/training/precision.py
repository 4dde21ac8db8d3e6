"""Training in half precision on hardware that supports it."""

from __future__ import annotations

import torch

PRECISIONS = ("auto", "float32", "bfloat16")


def computes_in_half(name: str, device: torch.device) -> bool:
    """Return whether the precision `name` means training in bfloat16. "auto" does on CUDA and on CPUs with instructions
    for it.

    There, a training step of a convolution with 16 to 64 channels is 2 to 10 times faster. Other CPUs emulate it, which
    is slower than float32. Raises ValueError for an unknown name.
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
    """Return an autocast context: with `half`, convolutions and matrix products run in bfloat16; weights
    stay float32.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=half)
