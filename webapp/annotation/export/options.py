"""What a person can choose for an export: frames, labels, the names of frames, and the shape of pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Names = Literal["source", "number"]
Shape = Literal["stored", "display"]


@dataclass(frozen=True)
class Options:
    """The choices of an export.

    Args:
        spans: only the frames of these inclusive ranges; none: all frames.
        accepted_only: only accepted frames.
        labels: only objects with these labels, where "" means without one; None: all objects.
        names: whether frames are called by the names of their source files or by numbers; None: as the format does.
        shape: "display" stretches videos whose pixels are not square, as players do; "stored" keeps their pixels.
    """

    spans: Sequence[Sequence[int]] = ()
    accepted_only: bool = False
    labels: Sequence[str] | None = None
    names: Names | None = None
    shape: Shape = "stored"

    def stored(self) -> dict[str, Any]:
        """Return the choices that differ from the default, in values that JSON has."""
        default = asdict(Options())
        return {name: value for name, value in asdict(self).items() if value != default[name]}

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Options:
        return cls(**stored)
