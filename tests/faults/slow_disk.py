"""Makes a disk slow by a C library (slow_disk.c) that delays the file operations of every process of a site.

Unlike a slow device of the kernel (dm-delay) it needs no permission of the system, only Linux and a C compiler.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
LATE_MS = 100  # A disk of a laptop synchronises in 1 to 20 ms.


def possible() -> bool:
    """Return whether slow_disk.c can be compiled and loaded here: on Linux with a C compiler."""
    return sys.platform == "linux" and shutil.which("cc") is not None


def environment(home: Path, folder: Path) -> dict[str, str]:
    """Compile slow_disk.c into `folder`. Return environment variables for a process: with them it loads the library,
    which slows its file operations below `home`.
    """
    library = folder / "slow_disk.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"], check=True)
    return {"LD_PRELOAD": str(library), "SLOW_DISK_FOLDER": str(home.resolve()), "SLOW_DISK_MS": str(LATE_MS)}
