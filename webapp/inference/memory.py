"""How much memory a worker takes, and how much of its GPU's memory is taken."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

STATUS = Path("/proc/self/status")  # Only Linux has it.


@dataclass(frozen=True)
class Memory:
    """How many bytes of memory a worker takes, and how many of its GPU are taken.

    `process` is the worker's main memory, `device` what all processes take of the GPU, `device_size` all that the GPU
    has.

    A figure that is not known is 0.
    """

    process: int = 0
    device: int = 0
    device_size: int = 0


def memory_now(device: str) -> Memory:
    """Return what this process takes now, and what is taken of `device`, such as "cuda:0"."""
    used, size = _of_device(device)
    return Memory(_of_process(), used, size)


def _of_process() -> int:
    try:
        lines = STATUS.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS:")), 0)


def _of_device(device: str) -> tuple[int, int]:
    torch = sys.modules.get("torch")  # Asking before an engine has loaded it would import it.
    # While another thread is importing it, it has no `cuda` yet.
    if not device.startswith("cuda") or torch is None or not hasattr(torch, "cuda") or not torch.cuda.is_initialized():
        return 0, 0
    free, size = torch.cuda.mem_get_info(device)
    return size - free, size
