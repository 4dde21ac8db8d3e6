"""Chooses the stream of a video file that players show, for the library and for imports of the web application."""

from __future__ import annotations

from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream


def moving_streams(file: InputContainer) -> list[VideoStream]:
    """Return the video streams of a file without the cover images of audio files, which are video streams as well."""
    return [stream for stream in file.streams.video if not stream.disposition & Disposition.attached_pic]


def shown_stream(streams: list[VideoStream]) -> VideoStream | None:
    """Return the largest stream that is enabled, or the largest of all if none is.

    Streams that FFmpeg has no decoder for are left out. Returns None if no stream is left.
    """
    readable = [stream for stream in streams if stream.codec_context is not None]  # It is None without a decoder.
    return max(readable, key=lambda s: (bool(s.disposition & Disposition.default), s.width * s.height), default=None)
