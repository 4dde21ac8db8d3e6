"""Makes video files in which each frame shows its own index, so that tests can tell which frame they read.

At the top of a frame are two rows of bars: the bits of its index, and the same bits inverted as a check. They survive
lossy coding. The red field at the lower left and the blue one at the lower right show whether a frame is turned or
mirrored or has its colours swapped.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition
from numpy.typing import NDArray
from PIL import Image

from segmentation.types import LabelMap
from webapp.videos.models import Video
from webapp.videos.storage import read_truth

BITS = 10
WIDTH, HEIGHT = 240, 160


def numbered(index: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Return the frame that shows the number `index`: uint8 RGB [H, W, 3]."""
    picture = np.full((height, width, 3), 90, np.uint8)
    edges = np.linspace(0, width, BITS + 1).astype(int)
    quarter = height // 4
    for bit in range(BITS):
        on = index >> bit & 1
        picture[:quarter, edges[bit] : edges[bit + 1]] = 255 * on
        picture[quarter : 2 * quarter, edges[bit] : edges[bit + 1]] = 255 * (1 - on)
    picture[3 * quarter :, : width // 3] = (220, 20, 20)
    picture[3 * quarter :, -(width // 3) :] = (20, 20, 220)
    return picture


def stored_truth(video: Video, index: int) -> LabelMap:
    """Return the stored ground truth of frame `index`. Raise AssertionError if there is none."""
    labels = read_truth(video, index)
    assert labels is not None
    return labels


def read_number(picture: NDArray[np.uint8]) -> int:
    """Return the number that a frame made by `numbered` shows.

    Raise AssertionError if it cannot be read, or if the frame is turned or mirrored or its colours are swapped.
    """
    height, width = picture.shape[:2]
    edges = np.linspace(0, width, BITS + 1).astype(int)
    quarter = height // 4
    grey = picture.astype(float).mean(axis=2)
    number = 0
    for bit in range(BITS):
        middle = slice(edges[bit] + 3, edges[bit + 1] - 3)
        upper, lower = grey[4 : quarter - 4, middle].mean(), grey[quarter + 4 : 2 * quarter - 4, middle].mean()
        assert abs(upper - lower) > 150, f"bit {bit} cannot be read: {upper:.0f}, {lower:.0f}"
        number |= int(upper > lower) << bit
    left = picture[3 * quarter + 4 : -4, 4 : width // 3 - 4].reshape(-1, 3).mean(axis=0)
    right = picture[3 * quarter + 4 : -4, -(width // 3) + 4 : -4].reshape(-1, 3).mean(axis=0)
    assert left[0] > left[2] + 100, f"red is not at the lower left: {left}"
    assert right[2] > right[0] + 100, f"blue is not at the lower right: {right}"
    return number


def write_clip(
    path: Path,
    count: int = 30,
    *,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    codec: str = "libx264",
    pixels: str = "yuv420p",
    rate: int | Fraction = 25,
    times: Sequence[int] | None = None,
    pixel_aspect: Fraction | None = None,
    time_base: Fraction = Fraction(1, 1000),
    quarter_turns: int = 0,
    mirrored: bool = False,
    title: str = "",
    options: dict[str, str] | None = None,
) -> Path:
    """Encode a video whose frames show the numbers 0..count-1, and return the path.

    `times` are the presentation times of the frames in units of `time_base`. With `quarter_turns` or `mirrored` the
    frames are stored turned or mirrored, and the metadata of the file tells players to undo that.
    """
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=rate, options=options or {})
        assert isinstance(stream, av.VideoStream)
        stream.pix_fmt = pixels
        if title:
            stream.metadata["title"] = title
        coded = [_turned_away(numbered(i, *size), quarter_turns, mirrored) for i in range(count)]
        stream.height, stream.width = coded[0].shape[:2]
        if times is not None:
            stream.time_base = stream.codec_context.time_base = time_base
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        if quarter_turns or mirrored:
            stream.set_display_rotation(90 * quarter_turns, hflip=mirrored)
        for index, picture in enumerate(coded):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = index if times is None else times[index]
            frame.time_base = Fraction(1, rate) if times is None else time_base
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def _turned_away(picture: NDArray[np.uint8], quarter_turns: int, mirrored: bool) -> NDArray[np.uint8]:
    # A player rotates a stored frame and then mirrors it. The inverse, which is stored, is mirrored first and then
    # rotated the other way.
    return np.ascontiguousarray(np.rot90(picture[:, ::-1] if mirrored else picture, -quarter_turns))


def write_gif(path: Path, count: int = 12) -> Path:
    """Write a GIF whose frames are shown for 40 and 120 ms in turn. Animated GIFs often have uneven times."""
    frames = [Image.fromarray(numbered(index)).convert("P", palette=Image.Palette.ADAPTIVE) for index in range(count)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[40, 120] * (count // 2), loop=0)
    return path


def write_sound(path: Path, cover: bool = False) -> Path:
    """Write a file with a sound track and no video. With `cover` it also has a cover picture, as music files have."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=44100)
        picture = file.add_stream("mjpeg") if cover else None
        if picture is not None:
            picture.width, picture.height, picture.pix_fmt = 64, 64, "yuvj420p"
            picture.disposition = av.stream.Disposition.attached_pic
        samples = np.zeros((1, 44100), np.float32)
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
        frame.sample_rate = 44100
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
        if picture is not None:
            file.mux(picture.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
            file.mux(picture.encode())
    return path


def with_edit(path: Path, skip: int, keep: int, rate: int = 25) -> Path:
    """Change the edit list of an mp4 so that players leave out the first `skip` frames and show the next `keep`."""
    data = bytearray(path.read_bytes())
    at = data.index(b"elst")
    assert data[at + 4] == 0, "a version 0 edit list is expected"
    assert int.from_bytes(data[at + 8 : at + 12], "big") == 1, "one entry is expected"
    movie_scale = _timescale(data, b"mvhd")
    media_scale = _timescale(data, b"mdhd")
    before = int.from_bytes(data[at + 16 : at + 20], "big")
    data[at + 12 : at + 16] = (keep * movie_scale // rate).to_bytes(4, "big")
    data[at + 16 : at + 20] = (before + skip * media_scale // rate).to_bytes(4, "big")
    path.write_bytes(data)
    return path


def write_tracks(path: Path, sizes: Sequence[tuple[int, int]], enabled: int = 0, count: int = 5) -> Path:
    """Write an mp4 with one video track for each size. Players show only the track with the index `enabled`."""
    with av.open(str(path), "w") as file:
        streams = []
        for number, (width, height) in enumerate(sizes):
            stream = file.add_stream("libx264", rate=10, options={"preset": "ultrafast", "threads": "1"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.disposition = Disposition.default if number == enabled else Disposition(0)
            streams.append(stream)
        for stream in streams:
            for index in range(count):
                frame = av.VideoFrame.from_ndarray(numbered(index, stream.width, stream.height), format="rgb24")
                file.mux(stream.encode(frame))
            file.mux(stream.encode())
    return path


def write_hdr(path: Path, codes: NDArray[np.uint16], transfer: int) -> Path:
    """Write a lossless file of one HDR frame with grey `codes` [H, W], 0..65535, in ten bits.

    `transfer` is the transfer characteristic: 16 for PQ, 18 for HLG.
    """
    with av.open(str(path), "w") as file:
        stream = file.add_stream("ffv1", rate=10)
        stream.height, stream.width = codes.shape
        stream.pix_fmt = "yuv420p10le"
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = 9, transfer, 9
        frame = av.VideoFrame.from_ndarray(np.repeat(codes[..., None], 3, axis=2), format="rgb48le")
        frame = frame.reformat(format="yuv420p10le", dst_colorspace=9)
        frame.color_trc, frame.color_primaries = transfer, 9
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def _timescale(data: bytearray, box: bytes) -> int:
    at = data.index(box)
    assert data[at + 4] == 0, "a version 0 box is expected"
    return int.from_bytes(data[at + 16 : at + 20], "big")
