"""The engine `flow`: classical vision alone (`segmentation.classical`), which needs no weights."""

from __future__ import annotations

from segmentation.classical.engine import ClassicalEngine


class FlowEngine(ClassicalEngine):
    """A session of the flow engine. It takes no options."""

    name = "flow"
