"""How much memory a stretch of work needs at its peak, above what the process held before."""

from __future__ import annotations

import resource
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")


class PeakMemory:
    """Counts only between `start` and `stop`, so that the robot's own arrays do not hide what an engine needs.

    On Linux the kernel's high-water mark is reset at each start; elsewhere the process's lifetime peak is all there is.
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
    """Bytes of a field of /proc/self/status; 0 where there is none."""
    if not _STATUS.exists():
        return 0
    lines = (line.split() for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return next((int(parts[1]) * 1024 for parts in lines), 0)
