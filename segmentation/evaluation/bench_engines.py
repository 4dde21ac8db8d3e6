"""Seconds a frame and peak memory of every engine at the paper's size.

`python -m segmentation.evaluation.bench_engines` takes the arguments of its parts (--threads, --frames, --objects) and
runs them in turn, each in a process of its own, so that the peak memory of one is not that of another.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

PARTS = (
    ("segmentation.evaluation.bench_oh", "--engine", "stm"),
    ("segmentation.evaluation.bench_oh", "--engine", "stm-semi"),
    ("segmentation.evaluation.bench_oh", "--engine", "ipn"),
    ("segmentation.evaluation.bench_manet",),
    ("segmentation.evaluation.bench_strnn",),
)


def main(arguments: Sequence[str] | None = None) -> int:
    extra = list(sys.argv[1:] if arguments is None else arguments)
    failed = 0
    for module, *own in PARTS:
        print(f"--- {' '.join((module.rsplit('.', 1)[-1], *own))} ---", flush=True)
        failed |= subprocess.run([sys.executable, "-m", module, *own, *extra], check=False).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
