"""Make the small video files that the browser tests upload."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT, RATE = 320, 180, 24


def write_mp4(path: Path, *, frames: int = 24, padding: int = 0) -> Path:
    """Write an mp4 (H.264) in which a bright disc moves over a dark gradient, and return its path.

    `padding` bytes are appended in a `free` box, which decoders skip. This makes the uploaded file as large as a test
    needs without making the import slower.
    """
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(RATE))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index in range(frames):
            picture = np.repeat((x * 80 // WIDTH)[..., None], 3, axis=2).astype(np.uint8)
            center = WIDTH * (0.2 + 0.6 * index / frames)
            picture[(x - center) ** 2 + (y - HEIGHT / 2) ** 2 < 30**2] = (240, 120, 60)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    if padding:
        with path.open("ab") as file:
            file.write((padding + 8).to_bytes(4, "big") + b"free" + bytes(padding))
    return path
