"""Types for `measure_engines runtimes`, which times parts of networks: each has a name, a module and an input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

TRUNK_FRAME = (288, 512)  # height and width to which a 16:9 frame is resized for the trunk
GRID = (240, 432)  # height and width of the input of the shipped networks

Part = tuple[str, nn.Module, Tensor]


class Applied(nn.Module):
    """Wraps a module so that it has one input and one output tensor.

    `call` calls the module with the input and with fixed values for its other inputs. If it returns several tensors,
    they are flattened and concatenated.
    """

    def __init__(self, module: nn.Module, call: Callable[[nn.Module, Tensor], Any]) -> None:
        super().__init__()
        self.module, self.call = module, call

    def forward(self, x: Tensor) -> Tensor:
        out = self.call(self.module, x)
        found: Tensor = out if isinstance(out, Tensor) else torch.cat([part.flatten() for part in out])
        return found
