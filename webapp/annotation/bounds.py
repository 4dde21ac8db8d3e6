"""Checks that a frame or a span of frames lies within a video."""

from __future__ import annotations

from webapp.problems import Problem
from webapp.videos.models import Video, VideoState


def check_frame(video: Video, frame: int) -> None:
    if video.state != VideoState.READY:
        raise Problem("not_ready", "This video is not ready yet. Wait for its import to end.", 409)
    if not 0 <= frame < video.frame_count:
        raise Problem("bad_frame", f"Frame {frame} is outside this video: it has 0 to {video.frame_count - 1}.", 422)


def check_span(video: Video, first: int, last: int) -> None:
    """Raise Problem unless `first` to `last` (inclusive) is a span of frames of a ready video."""
    if first > last:
        raise Problem("bad_span", f"The span from frame {first} to frame {last} has no frames.", 422)
    check_frame(video, first)
    check_frame(video, last)
