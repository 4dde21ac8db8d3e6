"""Chooses, among the video streams of a file, the one that players show."""

from __future__ import annotations

from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream


def moving_streams(file: InputContainer) -> list[VideoStream]:
    """Return the video streams of a file, except for cover images of audio files, which FFmpeg lists among them."""
    return [stream for stream in file.streams.video if not stream.disposition & Disposition.attached_pic]


def shown_stream(streams: list[VideoStream]) -> VideoStream | None:
    """Return the stream with the most pixels among those that the file marks as default, or among all if none is.

    Streams that FFmpeg has no decoder for are left out. Returns None if no stream is left.
    """
    readable = [stream for stream in streams if stream.codec_context is not None]  # None without a decoder
    return max(readable, key=lambda s: (bool(s.disposition & Disposition.default), s.width * s.height), default=None)
