"""Chooses the device on which an engine computes, and the dtype of its networks."""

from __future__ import annotations

import re

import torch

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def choose_device(name: str) -> torch.device:
    """Return the device called "auto", "cpu", "cuda" or "cuda:<n>".

    Raises:
        ValueError: the name is not one of these, or there is no such device.
    """
    if not isinstance(name, str):
        raise ValueError(f"device: expected a name, got {name!r}; known are auto, cpu, cuda, cuda:<n>")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    match = re.fullmatch(r"cpu|cuda(?::([0-9]+))?", name)
    if match is None:
        raise ValueError(f"device: {name!r} is none, known are auto, cpu, cuda, cuda:<n>")
    if name != "cpu" and int(match[1] or 0) >= torch.cuda.device_count():
        raise ValueError(f"device: {name!r} asks for a GPU, {torch.cuda.device_count()} can be used here")
    return torch.device(name)


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """Return the dtype called "float32", "bfloat16", "float16" or "auto".

    "auto" is float16 on CUDA, and elsewhere float32, because most CPUs are not faster in another one. Raises ValueError
    for other names.
    """
    if name == "auto":
        return torch.float16 if device.type == "cuda" else torch.float32
    if name not in PRECISIONS:
        raise ValueError(f"precision: unknown {name!r}, known are auto, {', '.join(PRECISIONS)}")
    return PRECISIONS[name]
