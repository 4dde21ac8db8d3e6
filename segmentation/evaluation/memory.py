"""Measures the peak memory of a section of code, without the memory that the process used before."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


class PeakMemory:
    """Measures peak memory between `start` and `stop`, without the memory of other code in the process.

    On Linux `start` resets the kernel's record of the peak. Other systems only have the peak of the whole process.
    """

    def __init__(self) -> None:
        self._floor = _field("VmRSS")
        self.bytes = 0

    def start(self) -> None:
        if _CLEAR.exists():
            _CLEAR.write_text("5")

    def stop(self) -> None:
        self.bytes = max(self.bytes, (_field("VmHWM") or peak_of_process()) - self._floor)


def peak_of_process() -> int:
    """Return the peak memory of this process since its start in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, other systems count kilobytes.


def _field(name: str) -> int:
    """Return a field of /proc/self/status in bytes, or 0 if the file or the field does not exist."""
    if not _STATUS.exists():
        return 0
    lines = (line.split() for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return next((int(parts[1]) * 1024 for parts in lines), 0)
