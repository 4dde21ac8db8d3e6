"""Computes the features of a round's next frames in a second thread, while the first thread segments."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import torch

from segmentation.engines.star.video import Video

DEPTH = 4  # How many frames the second thread is ahead at most, so that the cache still has them when they are needed.


class FeaturesAhead:
    """The features and the flow of frames, in the order in which a round needs them, inside of a `with` block.

    Where PyTorch may use one thread only, nothing is computed ahead.

    Args:
        video: computes and keeps the features.
        steps: each frame with the adjacent frame from which it is segmented.
    """

    def __init__(self, video: Video, steps: Iterable[tuple[int, int]]) -> None:
        self._video, self._steps = video, list(steps)
        self._place = {frame: place for place, (frame, _) in enumerate(self._steps)}
        self._running: list[Future[None]] = []
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> FeaturesAhead:
        if torch.get_num_threads() > 1:
            self._pool = ThreadPoolExecutor(1, "features")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._pool = None

    def wait_for(self, frame: int) -> None:
        """Wait until the features of a frame are computed. Those of the next frames are computed from now on.

        Raises what reading the frame raises.
        """
        place = self._place.get(frame)
        if self._pool is None or place is None:
            return
        for step in self._steps[len(self._running) : place + 1 + DEPTH]:
            self._running.append(self._pool.submit(self._video.compute, *step))
        self._running[place].result()
