"""Decodes the frames of a video file in the order of presentation. The index of a frame never depends on a time.

The decoder sorts B-frames and drops frames that an edit list cuts away. Rotation and mirroring of the file are applied
here. Variable frame rates and late starts need no treatment, because time stamps do not decide about an index.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from django.conf import settings

from segmentation.formats.tone_mapping import HDR_TRANSFERS
from segmentation.formats.video_frame import is_quarter_turned, upright
from segmentation.formats.video_stream import moving_streams, shown_stream
from webapp.videos.containers import Container
from webapp.videos.frame_writer import SourceFrame
from webapp.videos.refusal import Refused, check_count, check_size

DEFAULT_FPS = 24.0
# A time lapse may have a frame a day. A rate outside this range is an error in the file.
SLOWEST_FPS, FASTEST_FPS = 1 / 86400, 1000.0
# FFmpeg may decode a frame to find the size of a stream. This limits its number of pixels. 8K is within the limit, so
# that the message which refuses such a file can name its size; a file that claims billions of pixels is not.
PROBE_PIXELS = 64 << 20
NOT_SQUARE = (
    "The pixels of the video are not square. Masks are drawn and stored on its grid; exported videos are stretched as "
    "players do it."
)
NARROWEST_PIXEL = 0.1  # Anamorphic video has ratios between 1:2 and 2:1.
MOST_STREAMS = 32  # The most tracks of any kind; each costs memory when the file is opened.


class VideoFile:
    """A file with a video stream. Each call of `frames` opens the file again.

    `source` is a path, or an open file, which stays open.
    """

    name = ""  # Empty: the video is named after the file.
    part = "."

    def __init__(self, source: Path | IO[bytes], container: Container) -> None:
        self._source = source
        self._container = container
        self.notes: list[str] = []
        self.pixel_aspect = 1.0
        with self._open() as file:
            stream = _picture_stream(file)
            if not stream.width or not stream.height:
                raise Refused("no_size", "The frames have no size that can be read, or far too many pixels.", 413)
            check_size(stream.width, stream.height)
            self.expected = min(filter(None, (stream.frames, _estimated_frames(file, stream))), default=0)
            if stream.frames:  # If the file does not state a number, the writer counts the frames.
                check_count(self.expected)
            self.fps = _fps(stream)

    def frames(self) -> Iterator[SourceFrame]:
        """Yield every frame that can be decoded. Raises Refused if none could be.

        When the frames are exhausted, `pixel_aspect` is known, and `notes` holds sentences for the person who imports
        the video: about HDR, pixels that are not square, and places that could not be decoded.
        """
        self.notes.clear()
        with self._open() as file:
            stream = _picture_stream(file)
            stream.thread_type = "AUTO"
            stream.codec_context.options = {"max_pixels": str(_most_pixels())}
            found = damaged = 0
            transfers: set[int] = set()
            for frame in self._decoded(file, stream):
                if frame is None:
                    damaged += 1
                    continue
                found += 1
                transfers.add(frame.color_trc)
                picture = upright(frame)
                if found == 1:
                    self.pixel_aspect = _pixel_aspect(stream, frame)
                yield SourceFrame(picture, time=_time(frame, stream))
        if not found:
            raise Refused("no_frames", "No frame of this video can be decoded: it is damaged, or was cut short.")
        self.notes += [
            f"The video is HDR ({name}): its colours were converted to the standard range."
            for transfer, name in HDR_TRANSFERS.items()
            if transfer in transfers
        ]
        if self.pixel_aspect != 1:
            self.notes.append(NOT_SQUARE)
        if damaged:
            self.notes.append(f"The file is damaged: {damaged} places could not be decoded and were left out.")

    def _decoded(self, file: InputContainer, stream: VideoStream) -> Iterator[VideoFrame | None]:
        """Yield the frames in order of presentation, and None for each place that cannot be read or decoded.

        Packets without data are left out, because a decoder would take them for the end of the stream. Containers hold
        them where a recorder had nothing to store, and PyAV ends each stream with one.
        """
        packets = file.demux(stream)
        ended = False
        while not ended:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:
                yield None
                packet = None  # The rest of the file cannot be reached, but the decoder still holds frames.
            ended = packet is None
            if packet is not None and not packet.size:
                continue
            try:
                yield from stream.decode(packet)  # With None the decoder yields the frames that it still holds.
            except av.error.EOFError:
                return
            except av.error.MemoryError:
                raise
            except av.error.FFmpegError:
                yield None

    def _open(self) -> InputContainer:
        name = self._container.value
        # FFmpeg may use only this demuxer and this file, and follows no references to other files.
        pixels = max(_most_pixels(), PROBE_PIXELS)
        options = {"protocol_whitelist": "file", "format_whitelist": name, "max_pixels": str(pixels)}
        options["max_streams"] = str(MOST_STREAMS)
        if self._container is Container.ISO:
            options |= {"enable_drefs": "0", "use_absolute_path": "0"}
        source: str | IO[bytes]
        if isinstance(self._source, Path):
            source = f"file:{self._source}"
        else:
            source = self._source
            source.seek(0)
        try:
            # Titles in old files may be in any encoding. They are not used.
            return av.open(source, mode="r", format=name, options=options, metadata_errors="replace")
        except av.error.MemoryError:  # FFmpeg raises this for more streams than max_streams.
            raise Refused(
                "too_many_streams",
                f"The file has more than {MOST_STREAMS} tracks. Save it with its one video track alone.",
            ) from None
        except (av.error.FFmpegError, OSError):
            raise Refused(
                "damaged", "The file begins like a video but cannot be read: it is damaged, or was cut short."
            ) from None


def _picture_stream(file: InputContainer) -> VideoStream:
    """Return the stream that players show. Raises Refused if there is none that can be decoded."""
    moving = moving_streams(file)
    if not moving:
        raise Refused(
            "audio_only", "The file has no moving pictures" + (", only sound." if file.streams.audio else ".")
        )
    stream = shown_stream(moving)
    if stream is None:
        raise Refused("unknown_codec", "The pictures are coded in a way that cannot be read here. Convert it to H.264.")
    return stream


def _most_pixels() -> int:
    """Return the largest number of pixels that a decoder may decode for a frame.

    It is larger than the largest allowed frame, because decoders round sizes up to whole blocks before they crop.
    """
    width, height = settings.CONFIG["MASKWRIGHT_MAX_WIDTH"], settings.CONFIG["MASKWRIGHT_MAX_HEIGHT"]
    return int((width + 128) * (height + 128))


def _fps(stream: VideoStream) -> float:
    rate = stream.average_rate or stream.guessed_rate
    fps = float(rate) if rate else DEFAULT_FPS
    return fps if SLOWEST_FPS <= fps <= FASTEST_FPS else DEFAULT_FPS


def _pixel_aspect(stream: VideoStream, frame: VideoFrame) -> float:
    """Return the width of a pixel of the upright `frame` divided by its height.

    The container states it for the picture as it is coded, so a quarter turn inverts it. A ratio that no camera has is
    an error in the file and counts as 1.
    """
    stated = stream.sample_aspect_ratio
    aspect = float(stated) if stated else 1.0
    if not NARROWEST_PIXEL <= aspect <= 1 / NARROWEST_PIXEL:
        return 1.0
    return 1 / aspect if is_quarter_turned(frame) else aspect


def _time(frame: VideoFrame, stream: VideoStream) -> float | None:
    """Return the time stamp of a frame in seconds, or None if the file has none."""
    base = frame.time_base or stream.time_base  # PyAV sets none for the frames that a decoder holds at the end.
    return None if frame.pts is None or base is None else round(float(frame.pts * base), 6)


def _estimated_frames(file: InputContainer, stream: VideoStream) -> int:
    """Estimate the number of frames from the presented duration, because an edit list may cut frames.

    Returns 0 if the duration is unknown.
    """
    if stream.duration and stream.time_base:
        seconds = float(stream.duration * stream.time_base)
    elif file.duration:
        seconds = file.duration / av.time_base
    else:
        return 0
    return max(int(seconds * _fps(stream)), 0)
