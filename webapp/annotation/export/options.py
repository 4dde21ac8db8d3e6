"""The choices of a person for an export: frames, labels, the names of frames, the shape of pixels, and so on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any, Literal

Names = Literal["source", "number"]
Shape = Literal["stored", "display"]


@dataclass(frozen=True)
class Look:
    """How an overlay video shows the objects.

    Args:
        opacity: the share of the colour over an object, 0..1; at 0 the object keeps its own pixels.
        contour: the width in pixels of the line along the border inside an object, 0..20; 0: no line.
        color: one colour for all objects, such as #ff0000; None: each object has its own.
        background: a colour in place of what is outside of the objects; None: the frame.
    """

    opacity: float = 0.5
    contour: int = 1
    color: str | None = None
    background: str | None = None


@dataclass(frozen=True)
class Matte:
    """How soft mattes are made.

    Args:
        edge: half the width of the soft edge in pixels, 0..64, 0 for hard edges; None: in proportion to the frame.
        premultiplied: whether the colours of a video with alpha are multiplied by it, so that it is black outside.
    """

    edge: int | None = None
    premultiplied: bool = False


@dataclass(frozen=True)
class Options:
    """The choices of an export.

    Args:
        spans: only the frames of these inclusive ranges; none: all frames.
        spans_of: such ranges for single videos, by the id of the video as text; a video without any has all frames.
        accepted_only: only accepted frames.
        labels: only objects with these labels, where "" means without one; None: all objects.
        objects: only the objects with these ids; None: all objects.
        names: whether frames are called by the names of their source files or by numbers; None: as usual in the format.
        shape: "display" stretches videos whose pixels are not square, as players do; "stored" keeps their pixels.
        splits: the ids of the videos in each split, such as train and val; only these are exported. Empty: all videos.
        look: how an overlay video shows the objects.
        matte: how soft mattes are made.
        val_percent: without `splits`, the percentage of videos in the split val, at least one video; the others are in
            train. 0: no split.
    """

    spans: Sequence[Sequence[int]] = ()
    spans_of: Mapping[str, Sequence[Sequence[int]]] = field(default_factory=dict)
    accepted_only: bool = False
    labels: Sequence[str] | None = None
    objects: Sequence[int] | None = None
    names: Names | None = None
    shape: Shape = "stored"
    splits: Mapping[str, Sequence[int]] = field(default_factory=dict)
    val_percent: int = 0
    look: Look = Look()
    matte: Matte = Matte()

    def stored(self) -> dict[str, Any]:
        """Return the choices that differ from the default, in values that JSON has."""
        default = asdict(Options())
        return {name: value for name, value in asdict(self).items() if value != default[name]}

    def has_frame(self, video_id: int, index: int) -> bool:
        """Return whether a frame is in the ranges that were chosen."""
        return all(
            not spans or any(first <= index <= last for first, last in spans)
            for spans in (self.spans, self.spans_of.get(str(video_id), ()))
        )

    def split_of(self, videos: Sequence[int]) -> dict[int, str]:
        """Return the split of each of these videos by its id; nothing if there are no splits.

        With `val_percent` it depends on the ids alone, so that the same videos are always divided in the same way.
        """
        if self.splits:
            return {video: name for name, inside in self.splits.items() for video in inside}
        if not self.val_percent:
            return {}
        ordered = sorted(videos, key=lambda video: sha256(str(video).encode()).digest())
        count = max(1, round(len(videos) * self.val_percent / 100))
        return {video: "val" if at < count else "train" for at, video in enumerate(ordered)}

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Options:
        parts = {"look": Look(**stored.get("look", {})), "matte": Matte(**stored.get("matte", {}))}
        return cls(**{**stored, **parts})
