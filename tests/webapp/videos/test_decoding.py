"""Tests that video files of many formats are decoded to their frames in order, upright and in the right colours."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.webapp.videos.clips import (
    HEIGHT,
    WIDTH,
    numbered,
    read_number,
    with_edit,
    write_clip,
    write_gif,
    write_hdr,
    write_tracks,
)
from webapp.videos.decoding import NOT_SQUARE
from webapp.videos.refusal import Refused
from webapp.videos.sources import Clip, open_source

CLIPS = Path(__file__).parents[2] / "data" / "videos"


def numbers(path: Path, size: tuple[int, int] = (WIDTH, HEIGHT)) -> list[int]:
    """Return the number that each frame of the video file `path` shows. Each must have the `size` (width, height)."""
    found = []
    with open_source(path) as (clip,):
        for frame in clip.frames():
            picture = np.asarray(frame.picture)
            assert (picture.shape[1], picture.shape[0]) == size
            found.append(read_number(picture))
        assert clip.notes == []
    return found


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("clip.mp4", "libx264", "yuv420p"),
        ("clip.mov", "mjpeg", "yuvj420p"),
        ("clip.mkv", "ffv1", "yuv420p"),
        ("clip.webm", "libvpx-vp9", "yuv420p"),
        ("clip.avi", "mpeg4", "yuv420p"),
        ("deep.mp4", "libx264", "yuv420p10le"),
    ],
)
def test_it_reads_every_container(tmp_path: Path, name: str, codec: str, pixels: str) -> None:
    assert numbers(write_clip(tmp_path / name, codec=codec, pixels=pixels)) == list(range(30))


def test_it_reads_a_gif_with_uneven_delays(tmp_path: Path) -> None:
    assert numbers(write_gif(tmp_path / "clip.gif")) == list(range(12))


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv"])
def test_it_reads_a_variable_frame_rate_by_index(tmp_path: Path, name: str) -> None:
    steps = [17, 250, 33, 33, 900, 40, 5, 120]
    times = np.cumsum([steps[index % len(steps)] for index in range(40)]).tolist()
    assert numbers(write_clip(tmp_path / name, 40, times=times)) == list(range(40))


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.webm"])
def test_it_reads_a_late_start_from_its_first_frame(tmp_path: Path, name: str) -> None:
    codec = "libvpx-vp9" if name.endswith("webm") else "libx264"
    times = [7300 + 40 * index for index in range(20)]
    path = write_clip(tmp_path / name, 20, times=times, codec=codec)
    with av.open(str(path)) as file:
        assert file.start_time is not None
        assert file.start_time > 7_000_000
    assert numbers(path) == list(range(20))


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.mov"])
def test_it_puts_b_frames_into_order(tmp_path: Path, name: str) -> None:
    options = {"bf": "4", "b-pyramid": "normal", "b-adapt": "0", "g": "17"}
    path = write_clip(tmp_path / name, 50, options=options)
    with av.open(str(path)) as file:
        packets = [packet.pts or 0 for packet in file.demux(video=0) if packet.size]
    assert packets != sorted(packets), "the clip has no B-frames: this test would prove nothing"
    assert numbers(path) == list(range(50))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
def test_it_turns_and_mirrors_as_the_file_asks(tmp_path: Path, quarter_turns: int, mirrored: bool) -> None:
    path = write_clip(tmp_path / "clip.mp4", 5, quarter_turns=quarter_turns, mirrored=mirrored)
    with av.open(str(path)) as file:
        raw = next(file.decode(video=0)).to_ndarray(format="rgb24").astype(np.uint8)
    if quarter_turns or mirrored:
        with pytest.raises(AssertionError):
            read_number(raw)
    assert numbers(path) == list(range(5))


@pytest.mark.parametrize(
    ("size", "name", "codec", "pixels"),
    [
        ((241, 161), "clip.webm", "libvpx-vp9", "yuv420p"),
        ((241, 161), "clip.mkv", "ffv1", "yuv420p"),
        ((239, 160), "clip.mp4", "libx264", "yuv444p"),
        ((241, 159), "clip.avi", "mpeg4", "yuv420p"),
    ],
)
def test_it_keeps_odd_sizes(tmp_path: Path, size: tuple[int, int], name: str, codec: str, pixels: str) -> None:
    path = write_clip(tmp_path / name, 8, size=size, codec=codec, pixels=pixels)
    assert numbers(path, size) == list(range(8))


@pytest.mark.parametrize("b_frames", ["1", "3"])
def test_it_leaves_out_what_an_edit_list_cuts(tmp_path: Path, b_frames: str) -> None:
    options = {"bf": b_frames, "b-adapt": "0", "g": "10", "sc_threshold": "0"}
    path = write_clip(tmp_path / "clip.mp4", 40, options=options)
    assert numbers(with_edit(path, skip=13, keep=20)) == list(range(13, 33))


def test_it_takes_the_colours_of_hd_for_what_players_take_them(tmp_path: Path) -> None:
    """Players assume BT.709 for HD video that states no colour space, and so must the decoder.

    If it assumed BT.601, the red would be 15 levels darker.
    """
    red = np.zeros((720, 1280, 3), np.uint8)
    red[...] = (200, 30, 0)
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25, options={"crf": "1"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        frame = av.VideoFrame.from_ndarray(red, format="rgb24").reformat(format="yuv420p", dst_colorspace="ITU709")
        file.mux(stream.encode(frame))
        file.mux(stream.encode())
    assert np.abs(only(path)[0].astype(int) - red).max() <= 4


def only(path: Path) -> list[np.ndarray]:
    with open_source(path) as (clip,):
        return [np.asarray(frame.picture) for frame in clip.frames()]


def test_it_estimates_length_and_rate_for_the_progress_bar(tmp_path: Path) -> None:
    with open_source(write_clip(tmp_path / "clip.mkv", 50, rate=10)) as (clip,):
        assert clip.fps == pytest.approx(10)
        assert 45 <= clip.expected <= 55
    with open_source(write_clip(tmp_path / "clip.mp4", 50, rate=10)) as (clip,):
        assert clip.expected == 50


def test_it_says_so_when_damaged_places_were_left_out(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", 60, options={"g": "5"})
    with av.open(str(path)) as file:
        packets = [(packet.pos or 0, packet.size) for packet in file.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for at, size in packets[20:24]:
        data[at : at + size] = b"\xff" * size
    path.write_bytes(data)
    clip: Clip
    with open_source(path) as (clip,):
        count = sum(1 for _ in clip.frames())
        assert 0 < count < 60
        assert "damaged" in clip.notes[0]


def test_it_reads_what_is_there_of_a_file_that_was_cut_short(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mkv", 60)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = [read_number(picture) for picture in only(path)]
    assert found == list(range(len(found)))
    assert 0 < len(found) < 60


@pytest.mark.parametrize(("name", "count"), [("empty_sample.mov", 2), ("empty_sample.mp4", 4)])
def test_an_empty_sample_in_the_middle_does_not_end_the_video(name: str, count: int) -> None:
    assert len(only(CLIPS / name)) == count


def test_it_reads_theora_in_ogg() -> None:
    assert len(only(CLIPS / "theora.ogv")) == 25


def test_it_takes_the_track_that_players_show(tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "clip.mp4", [(WIDTH, HEIGHT), (2 * WIDTH, 2 * HEIGHT)], enabled=0)
    assert numbers(path) == list(range(5))


def test_it_refuses_a_file_of_very_many_tracks(tmp_path: Path) -> None:
    path = write_tracks(tmp_path / "clip.mp4", [(64, 64)] * 33, count=1)
    with pytest.raises(Refused, match="more than 32 tracks"):
        only(path)


@pytest.mark.parametrize("seconds", [20, 3600])
def test_it_keeps_the_rate_of_a_time_lapse(tmp_path: Path, seconds: int) -> None:
    with open_source(write_clip(tmp_path / "clip.mp4", 5, rate=Fraction(1, seconds))) as (clip,):
        assert clip.fps == pytest.approx(1 / seconds, rel=0.01)


@pytest.mark.parametrize(("quarter_turns", "aspect"), [(0, 64 / 45), (2, 64 / 45), (1, 45 / 64)])
def test_it_keeps_the_grid_of_pixels_that_are_not_square_and_tells_their_shape(
    tmp_path: Path, quarter_turns: int, aspect: float
) -> None:
    path = write_clip(tmp_path / "clip.mp4", 2, pixel_aspect=Fraction(64, 45), quarter_turns=quarter_turns)
    with open_source(path) as (clip,):
        assert [np.asarray(frame.picture).shape for frame in clip.frames()] == [(HEIGHT, WIDTH, 3)] * 2
        assert clip.pixel_aspect == pytest.approx(aspect, rel=0.01)
        assert clip.notes == [NOT_SQUARE]


def test_a_shape_of_pixels_that_no_camera_has_is_an_error_in_the_file(tmp_path: Path) -> None:
    with open_source(write_clip(tmp_path / "clip.mp4", 2, pixel_aspect=Fraction(100, 1))) as (clip,):
        assert len(list(clip.frames())) == 2
        assert (clip.pixel_aspect, clip.notes) == (1, [])


def test_it_keeps_the_time_stamps_of_frames(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mkv", 4, times=[0, 40, 200, 1240])
    with open_source(path) as (clip,):
        assert [frame.time for frame in clip.frames()] == [0, 0.04, 0.2, 1.24]


@pytest.mark.parametrize(("transfer", "name", "white"), [(16, "PQ", 0.5807), (18, "HLG", 0.7500)])
def test_it_converts_hdr_to_the_standard_range(tmp_path: Path, transfer: int, name: str, white: float) -> None:
    """The HDR frame has four columns of grey: black, half the light of white, white (203 nits) and the largest value.

    `white` is the coded value of white, 0..1, with the transfer characteristic `transfer`.
    """
    half = {16: 0.5075, 18: 0.6323}[transfer]
    codes = np.repeat(np.array([0, half, white, 1.0]), 32)[None].repeat(64, axis=0)
    path = write_hdr(tmp_path / "clip.mkv", (codes * 65535).astype(np.uint16), transfer)
    with open_source(path) as (clip,):
        (frame,) = [np.asarray(frame.picture) for frame in clip.frames()]
        assert clip.notes == [f"The video is HDR ({name}): its colours were converted to the standard range."]
    black, middle, paper, brightest = (frame[32, 16 + 32 * step].astype(int) for step in range(4))
    assert black.max() <= 2
    assert np.abs(middle - 188).max() <= 6  # sRGB codes half the light of white as 188.
    assert paper.min() >= 240
    assert brightest.min() >= paper.min()
    assert brightest.max() - brightest.min() <= 3, "grey stays grey"


def test_a_title_in_another_encoding_does_not_matter(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mkv", 4, title="Meeresgrund")
    data = path.read_bytes()
    assert data.count(b"Meeresgrund") == 1
    path.write_bytes(data.replace(b"Meeresgrund", "Meeresgründ".encode("latin-1")))
    assert numbers(path) == list(range(4))


def test_it_refuses_a_codec_that_nobody_knows(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", 4)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz").replace(b"avcC", b"zzzC"))
    with pytest.raises(Refused, match=r"coded in a way that cannot be read"):
        only(path)


def test_it_refuses_a_file_that_was_cut_before_its_first_frame(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mkv", 60)
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(Refused, match=r"cut short|no frame|No frame"):
        only(path)


def test_the_test_pictures_tell_turned_from_upright() -> None:
    assert read_number(numbered(677)) == 677
    for wrong in (np.rot90(numbered(677)), numbered(677)[::-1], numbered(677)[:, ::-1], numbered(677)[..., ::-1]):
        with pytest.raises(AssertionError):
            read_number(np.ascontiguousarray(wrong))
