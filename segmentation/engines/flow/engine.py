"""`flow`: rounds of classical vision (`segmentation.classical`), which need no weights."""

from __future__ import annotations

from segmentation.classical.engine import ClassicalEngine


class FlowEngine(ClassicalEngine):
    """Has no options of its own."""

    name = "flow"
