from typing import Any, ClassVar

import torch

from segmentation.engines.star.network import Star, StarConfig
from tests.segmentation.engine_conformance import EngineConformance

TINY = StarConfig(widths=(4, 6, 8, 10), blocks=1, key=8, value=8, decoder=(8, 6, 4), skips=(4, 4, 4), embedding=4)


def tiny() -> Star:
    torch.manual_seed(0)
    return Star(TINY).eval()


class TestStar(EngineConformance):
    engine = "star"
    options: ClassVar[dict[str, Any]] = {"network": tiny()}
