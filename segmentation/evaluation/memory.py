"""Measures the peak memory of a section of code, without the memory that the process used before."""

from __future__ import annotations

import resource
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
        peak = _field("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        self.bytes = max(self.bytes, peak - self._floor)


def _field(name: str) -> int:
    """Return a field of /proc/self/status in bytes, or 0 if the file or the field does not exist."""
    if not _STATUS.exists():
        return 0
    lines = (line.split() for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return next((int(parts[1]) * 1024 for parts in lines), 0)
