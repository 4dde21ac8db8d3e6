"""STAR as a session that `segmentation.training.recorded_propagations` records."""

from __future__ import annotations

from pathlib import Path

from segmentation.checkpoints import load_network
from segmentation.classical.motion import Motion
from segmentation.cutter.refinement import RefinementNet
from segmentation.engines.star.engine import StarEngine
from segmentation.engines.star.network import Star
from segmentation.training.recorded_propagations import Found, Map, OpenSession


class StarRecorder(StarEngine):
    """A session of STAR that records the probability maps which its networks are given, and propagates what they make
    of them.
    """

    def _setup(self, network: Star | None = None, cutter: RefinementNet | None = None, openvino: bool = True) -> None:
        super()._setup(network, cutter, openvino)
        self.found = Found(len(self.frames), self.num_objects, self._scaled_frames.sizes.grid)

    def _refine(self, frame: int, motion: Motion, maps: dict[int, Map]) -> dict[int, Map]:
        self.found.note(frame, maps)
        return super()._refine(frame, motion, maps)


def recorder(folder: Path) -> OpenSession:
    """How to open a recorded session of STAR with the weights of both networks in `folder`."""
    network, cutter = load_star(folder)
    return lambda frames, num_objects: StarRecorder(frames, num_objects, network=network, cutter=cutter)


def load_star(folder: Path) -> tuple[Star, RefinementNet]:
    network, cutter = load_network("star", folder), load_network("star-cut", folder)
    assert isinstance(network, Star)  # by its spec, and
    assert isinstance(cutter, RefinementNet)  # by its own
    return network, cutter
