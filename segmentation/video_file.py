"""Reads the frames of a video file by index, decoding on demand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import RLock

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from segmentation.formats.video_frame import upright
from segmentation.formats.video_stream import moving_streams, shown_stream
from segmentation.frames import CACHE_BYTES, check_index
from segmentation.runtime.caches import ByteCache
from segmentation.types import Image

DEFAULT_FPS = 24.0
FORWARD = 32  # A frame at most so far ahead is reached by decoding all frames up to it, not by seeking to a key frame.


class VideoFileFrames:
    """The frames of a video file (mp4, mov, mkv, webm, avi, gif, ...), read-only uint8 RGB [H, W, 3].

    Opening reads the times of all packets and decodes one frame; if the packets do not tell the times, it decodes all
    frames. To read a frame, the frames from the key frame before it are decoded; reading in order decodes each frame
    once. The frames that were decoded last are cached, up to `cache_bytes` together. Frames are turned upright, and HDR
    is converted to the standard range, as in the web application.

    Raises:
        ValueError: the file is not a video, or its first frame cannot be decoded. Reading a frame also raises it if
            the file is damaged there.
    """

    def __init__(self, path: Path | str, cache_bytes: int = CACHE_BYTES) -> None:
        self.path = Path(path)
        self._lock = RLock()
        self._cache: ByteCache[int, Image] = ByteCache(cache_bytes)
        self._file = self._open()
        self._stream = self._choose_stream()
        self._times = self._frame_times()
        self._place = {time: index for index, time in enumerate(self._times)}
        self._decoded: Iterator[VideoFrame] = iter(())
        self._next = len(self._times)  # the index of the next frame from the decoder
        rate = self._stream.average_rate or self._stream.guessed_rate
        self.fps = float(rate) if rate else DEFAULT_FPS
        self.height, self.width = self[0].shape[:2]

    def __len__(self) -> int:
        return len(self._times)

    def __getitem__(self, index: int) -> Image:
        check_index(index, len(self))
        with self._lock:
            frame = self._cache.get(index)
            if frame is None:
                frame = self._read(index)
            return frame

    def close(self) -> None:
        """Close the file. Frames that were read stay valid."""
        with self._lock:
            self._decoded = iter(())
            self._file.close()

    def _open(self) -> InputContainer:
        try:
            return av.open(str(self.path), mode="r", options={"protocol_whitelist": "file"}, metadata_errors="replace")
        except (av.error.FFmpegError, OSError, ValueError):
            raise ValueError(f"source: {self.path.name} cannot be read as a video") from None

    def _choose_stream(self) -> VideoStream:
        stream = shown_stream(moving_streams(self._file))
        if stream is None:
            raise ValueError(f"source: {self.path.name} has no moving pictures that can be decoded")
        stream.thread_type = "AUTO"
        return stream

    def _frame_times(self) -> list[int]:
        """Return the presentation times of all frames, ascending.

        They come from the packets or, if packets have no time or the same one, from the decoded frames. Raises
        ValueError if there is no frame.
        """
        times = []
        try:
            for packet in self._file.demux(self._stream):
                if packet.size and not packet.is_discard:
                    times.append(packet.pts)
        except av.error.FFmpegError:
            pass  # Of a truncated file, the frames before the damage are used.
        known = [time for time in times if time is not None]
        if len(known) < len(times) or len(set(known)) < len(known):
            self._file.close()
            self._file = self._open()
            self._stream = self._choose_stream()
            known = [time for frame in _decode(self._file, self._stream) if (time := _time(frame)) is not None]
        if not known:
            raise ValueError(f"source: {self.path.name} has no frame that can be decoded")
        return sorted(set(known))

    def _read(self, index: int) -> Image:
        """Return frame `index`. It is cached, and so are the last `FORWARD` frames that are decoded before it.

        Raises ValueError if the file is damaged there.
        """
        if not self._next <= index < self._next + FORWARD:
            self._file.seek(self._times[index], stream=self._stream, backward=True, any_frame=False)
            self._decoded, self._next = _decode(self._file, self._stream), 0
        for decoded in self._decoded:
            time = _time(decoded)
            place = None if time is None else self._place.get(time)
            if place is None:
                continue
            self._next = place + 1
            if place >= index - FORWARD:
                frame = upright(decoded)
                frame.setflags(write=False)
                self._cache.put(place, frame)
                if place == index:
                    return frame
            if place > index:
                break
        self._next = len(self._times)
        raise ValueError(f"frame {index} of {self.path.name} cannot be decoded: the file is damaged there")


def _decode(file: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Yield frames in presentation order from the file's position on. Packets that cannot be decoded are skipped."""
    for packet in file.demux(stream):
        if not packet.size and packet.pts is not None:
            continue  # some recorders write empty packets, which would tell the decoder that the stream has ended
        try:
            yield from stream.decode(packet)
        except av.error.EOFError:
            return
        except av.error.FFmpegError:
            continue


def _time(frame: VideoFrame) -> int | None:
    """Return a frame's presentation time in the stream's time base, or its decoding time where only that is stored."""
    return frame.pts if frame.pts is not None else frame.dts
