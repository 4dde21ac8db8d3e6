"""Makes a disk slow by a library that delays the file operations of every process of a site (slow_disk.c).

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
    """Return whether the library can be compiled and loaded here."""
    return sys.platform == "linux" and shutil.which("cc") is not None


def environment(home: Path, folder: Path) -> dict[str, str]:
    """Compile the library into `folder`, and return variables with which the files below `home` are slow."""
    library = folder / "slow_disk.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"], check=True)
    return {"LD_PRELOAD": str(library), "SLOW_DISK_FOLDER": str(home.resolve()), "SLOW_DISK_MS": str(LATE_MS)}
