"""Writes the frames of one video, changed by a function, as a video file."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from webapp.annotation.codec import LabelMap
from webapp.annotation.export.subject import Subject, Tick
from webapp.videos.storage import RgbFrame

if TYPE_CHECKING:
    import av

HD_HEIGHT = 720
AHEAD = 2  # The number of frames that are drawn in another thread while the encoder works on those before them.
BT709, SMPTE170M, LIMITED = 1, 6, 1  # code points of ISO/IEC 23091-2


@dataclass(frozen=True)
class Encoding:
    """How a video is encoded: FFmpeg's names of the file format, the encoder and the format of its pixels.

    `options` are those of the encoder, `file_options` those of the file format.
    """

    container: str
    codec: str
    pix_fmt: str
    options: Mapping[str, str]
    file_options: Mapping[str, str] | None = None

    @property
    def is_rgb(self) -> bool:
        return self.pix_fmt.startswith(("rgb", "gray"))


# Takes a frame and its mask (None: it has none), and returns what to encode: uint8 [H, W, 3] RGB, [H, W, 4] RGBA, or
# [H, W] grey.
Draw = Callable[[RgbFrame, LabelMap | None], NDArray[np.uint8]]


def write_video(subject: Subject, path: Path, tick: Tick, encoding: Encoding, draw: Draw) -> None:
    """Write a video of all exported frames of a video, as `draw` makes them. `tick` is called after each frame.

    `draw` is called in another thread. Sizes are made even, as encoders need it, by repeating the last row or column.
    Players show the export in the shape in which they show the source, whether its pixels are square or not.
    """
    import av  # the web process imports this module, and must not load an encoder

    hd = subject.height >= HD_HEIGHT
    with av.open(str(path), "w", format=encoding.container, options=dict(encoding.file_options or {})) as file:
        stream = file.add_stream(encoding.codec, rate=Fraction(subject.video.fps).limit_denominator(1001))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = subject.width + subject.width % 2, subject.height + subject.height % 2
        stream.pix_fmt = encoding.pix_fmt
        stream.options = dict(encoding.options)
        aspect = 1 if subject.width != subject.video.width else subject.video.pixel_aspect
        stream.codec_context.sample_aspect_ratio = Fraction(aspect).limit_denominator(1000)
        if not encoding.is_rgb:
            stream.codec_context.colorspace = BT709 if hd else SMPTE170M
            stream.codec_context.color_range = LIMITED
        with closing(_drawn_ahead(subject, encoding, draw)) as frames:
            for at, frame in enumerate(frames):
                frame.pts = at
                file.mux(stream.encode(frame))
                tick(at + 1)
        file.mux(stream.encode(None))


def _drawn_ahead(subject: Subject, encoding: Encoding, draw: Draw) -> Generator[av.VideoFrame]:
    """Yield the frames of a video in order, each ready to be encoded. The next ones are drawn meanwhile.

    The database is used in the thread of the caller only.
    """
    waiting: deque[Future[av.VideoFrame]] = deque()
    with ThreadPoolExecutor(1) as thread:
        try:
            for index, labels in subject.frames():
                waiting.append(thread.submit(_drawn, subject, index, labels, encoding, draw))
                if len(waiting) > AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _drawn(subject: Subject, index: int, labels: LabelMap | None, encoding: Encoding, draw: Draw) -> av.VideoFrame:
    """Draw a frame, and convert its pixels to the format that the encoder takes."""
    import av

    drawn = _even(draw(subject.picture(index), labels))
    frame = av.VideoFrame.from_ndarray(drawn, format=_format_of(drawn))
    if encoding.is_rgb:
        return frame.reformat(format=encoding.pix_fmt)
    space = "ITU709" if subject.height >= HD_HEIGHT else "ITU601"
    return frame.reformat(format=encoding.pix_fmt, dst_colorspace=space)


def _format_of(drawn: NDArray[np.uint8]) -> str:
    return {2: "gray", 3: "rgb24", 4: "rgba"}[2 if drawn.ndim == 2 else drawn.shape[2]]


def _even(drawn: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = drawn.shape[:2]
    if height % 2 or width % 2:
        drawn = np.pad(drawn, ((0, height % 2), (0, width % 2), *[(0, 0)] * (drawn.ndim - 2)), mode="edge")
    return np.ascontiguousarray(drawn)
