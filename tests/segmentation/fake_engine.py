"""The engine `fake` for tests, which is fast and deterministic and needs no weights. Its masks are thick scribbles.

It is loaded by the environment variable `MASKWRIGHT_ENGINES=tests.segmentation.fake_engine`. The option `sleep` (or the
variable FAKE_ENGINE_SLEEP, in seconds) makes it wait before every frame, so that a test has time to cancel the round,
stop its worker or reload the page. The option `fail_at` (or FAKE_ENGINE_FAIL_AT) makes it raise an exception at that
frame.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import cv2
import numpy as np

from segmentation.engine import Engine
from segmentation.engine_specs import EngineSpec
from segmentation.scribbles import rasterise
from segmentation.types import Interaction, LabelMap, MaskUpdate, PastRound

PIXELS_A_FRAME = 1  # how far a mask moves to the right from one frame to the next


class FakeEngine(Engine):
    """An engine whose mask of frame f shows all scribbles so far.

    Each scribble is dilated by 1/64 of the frame's width and moved right by (f - frame of the scribble) pixels.
    """

    name = "fake"

    def _setup(self, sleep: float | None = None, fail_at: int | None = None) -> None:
        self._sleep = float(os.environ.get("FAKE_ENGINE_SLEEP", "0")) if sleep is None else sleep
        environment = os.environ.get("FAKE_ENGINE_FAIL_AT", "")
        self._fail_at = (int(environment) if environment else None) if fail_at is None else fail_at
        self._stamps: list[tuple[int, LabelMap]] = []  # frames with the scribbles drawn there (255 = none)

    def _run(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        self._stamps.append((interaction.frame, self._stamp(interaction)))
        made = False
        try:
            for update in self._moved(interaction):
                if not self.masks.keeps(update.frame):
                    update = self._settled(update)
                    made = True
                yield update
        finally:
            if not made:
                self._stamps.pop()

    def _moved(self, interaction: Interaction) -> Iterator[MaskUpdate]:
        for frame in self._outward(interaction.frame):
            if self._sleep:
                time.sleep(self._sleep)
            if frame == self._fail_at:
                raise RuntimeError(f"the fake engine was told to fail at frame {frame}")
            labels = self._labels(frame)
            seen = [(labels == i + 1).any() for i in range(self.num_objects)]
            yield MaskUpdate(frame, labels, tuple(0.9 if s else 0.5 for s in seen))

    def _restore(self, past: PastRound) -> None:
        self._stamps.append((past.interaction.frame, self._stamp(past.interaction)))

    def _stamp(self, interaction: Interaction) -> LabelMap:
        height, width = self.frames.height, self.frames.width
        stamp = np.full((height, width), 255, np.uint8)
        disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * (width // 64) + 1,) * 2)
        for scribble in interaction.scribbles:
            drawn = (rasterise([scribble], height, width) >= 0).astype(np.uint8)
            stamp[cv2.dilate(drawn, disk) > 0] = scribble.object_id
        return stamp

    def _labels(self, frame: int) -> LabelMap:
        labels = np.zeros((self.frames.height, self.frames.width), np.uint8)
        for drawn_on, stamp in self._stamps:
            shift = (frame - drawn_on) * PIXELS_A_FRAME
            moved = np.full_like(stamp, 255)
            if shift >= 0:
                moved[:, shift:] = stamp[:, : stamp.shape[1] - shift]
            else:
                moved[:, :shift] = stamp[:, -shift:]
            labels[moved != 255] = moved[moved != 255]
        return labels


ENGINES = {
    "fake": EngineSpec("fake", "Fake", "tests.segmentation.fake_engine:FakeEngine", "Tests only: moves your scribbles.")
}
