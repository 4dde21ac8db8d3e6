"""Upload clips, draw, run, compare the masks with ground truth, and export a project: with the client alone.

python examples/annotate_over_rest.py http://127.0.0.1:8710 TOKEN clip1.zip clip2.zip --engine flow
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from maskwright.client import Maskwright, Video


def agreement(video: Video, truth: dict[int, np.ndarray]) -> float:
    """Return J (intersection over union) of the masks with `truth`, which maps frames to masks, as a mean over them."""
    masks = video.masks()
    shares = [np.sum((masks[f] > 0) & (t > 0)) / np.sum((masks[f] > 0) | (t > 0)) for f, t in truth.items()]
    return float(np.mean(shares))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("clips", nargs="+", type=Path, help="files; beside clip.zip, clip-truth.png is its first mask")
    parser.add_argument("--engine", default="default")
    parser.add_argument("--out", type=Path, default=Path("."))
    arguments = parser.parse_args()
    with Maskwright(arguments.url, arguments.token) as maskwright:
        project = maskwright.project("From a script")
        for clip in arguments.clips:
            truth = np.asarray(Image.open(clip.with_name(f"{clip.stem}-truth.png")))
            y, x = np.argwhere(truth).mean(axis=0) / truth.shape
            video = project.upload(clip)
            thing = video.add_object("Thing")
            video.scribble(0, thing, [(x - 0.03, y), (x + 0.03, y)]).run(engine=arguments.engine)
            print(f"{clip.name}: J of the first mask {agreement(video, {0: truth}):.2f}")
        for name in ("youtube-vis", "davis"):
            print(project.export(name, arguments.out / f"{name}.zip"))


if __name__ == "__main__":
    main()
