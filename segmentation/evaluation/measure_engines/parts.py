"""What `measure_engines runtimes` times one by one: parts of networks, each with a name and an input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

TRUNK_FRAME = (288, 512)  # height and width of a 16:9 frame as the trunk sees it
GRID = (240, 432)  # input size of the shipped networks

Part = tuple[str, nn.Module, Tensor]


class Applied(nn.Module):
    """Wraps a module so that it has one input and one output: other inputs are fixed, several outputs are
    concatenated.
    """

    def __init__(self, module: nn.Module, call: Callable[[nn.Module, Tensor], Any]) -> None:
        super().__init__()
        self.module, self.call = module, call

    def forward(self, x: Tensor) -> Tensor:
        out = self.call(self.module, x)
        found: Tensor = out if isinstance(out, Tensor) else torch.cat([part.flatten() for part in out])
        return found
