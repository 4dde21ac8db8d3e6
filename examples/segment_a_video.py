"""Cut an object out of a video: one scribble, the masks of all frames, a correction, and files for other tools.

    python examples/segment_a_video.py clip.mp4 out --engine star

Draws through the middle of the first frame and then, as a correction of the last frame, there again and along its top
for the background: replace the two paths by what is in your video. Points are (x, y), fractions of the frame's width
and height.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import segmentation as seg

OBJECT = [(0.45, 0.50), (0.50, 0.50), (0.55, 0.50)]
BACKGROUND = [(0.05, 0.05), (0.95, 0.05)]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Cut an object out of a video.")
    parser.add_argument("video", type=Path, help="a video file, a folder of images, or a DAVIS sequence")
    parser.add_argument("out", type=Path, help="folder for the masks")
    parser.add_argument("--engine", default="star", help=f"one of {', '.join(seg.ENGINES)}")
    args = parser.parse_args(arguments)

    video = seg.open_video(args.video)
    print(video)
    with seg.open_session(args.engine, video) as session:
        drawing = session.scribble(frame=0, object=1, path=OBJECT)
        for update in drawing:  # the drawn frame comes first, then its neighbours
            print(f"\rframe {update.frame:4}: {drawing.done} of {drawing.total} masks", end="")
        print()

        # Several scribbles on one frame are one round. What is drawn for object 0 is background.
        last = len(video) - 1
        correction = [seg.Scribble(1, OBJECT), seg.Scribble(0, BACKGROUND)]
        session.draw(frame=last, scribbles=correction).run()

        session.give(0, session.masks[0])  # this mask is right: no later round changes it
        areas = [int((session.masks[frame] == 1).sum()) for frame in range(len(video))]
        print(f"pixels of the object: {areas}")
        for name in ("labels", "davis", "scribbles"):
            print("saved", session.save(args.out / name, format=name))


if __name__ == "__main__":
    main()
