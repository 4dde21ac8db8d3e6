"""Tests that files that cannot be imported are refused with a message, and that none of their data stays on disk."""

from __future__ import annotations

import resource
import socket
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.webapp.videos.archives import huge_png, numbered_picture, picture, write_link, write_zip
from tests.webapp.videos.clips import with_edit, write_clip, write_gif, write_sound
from tests.webapp.videos.conftest import Bring, Limit, files_below
from webapp.videos import archives, refusal
from webapp.videos.models import Video, VideoState

GOOD = [(f"{index}.png", numbered_picture(index)) for index in range(3)]


def text_file(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def assert_refused(video: Video, home: Path, *words: str) -> None:
    assert video.state == VideoState.FAILED
    for word in words:
        assert word in video.error
    assert video.error.endswith(".")
    assert files_below(home) == []
    assert not (home / "videos").exists() or not list((home / "videos").iterdir())
    assert (video.frame_count, video.size_bytes) == (0, 0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"It was a dark and stormy night. " * 50, "not a video"),
        (bytes(range(256)) * 40, "not a video"),
        (b"%PDF-1.7\n", "not a video"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(4000), "damaged"),
        (b"\x1a\x45\xdf\xa3" + bytes(4000), "damaged"),
        (b"RIFF\x00\x10\x00\x00AVI LIST" + bytes(4000), "damaged"),
        (b"GIF89a\x00\x00\x00\x00", "damaged"),
        (b"PK\x03\x04" + bytes(4000), "damaged"),
        (b"\xff\xd8\xff\xe0" + bytes(400), "single picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(400), "single picture"),
        (b"\x00\x00\x00\x18ftypheic" + bytes(400), "single picture"),
        (b"ID3\x04" + bytes(400), "sound"),
    ],
)
def test_it_refuses_what_is_no_video(bring: Bring, tmp_path: Path, home: Path, content: bytes, words: str) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    assert_refused(bring(path), home, words)


def test_it_refuses_a_video_that_is_cut_before_any_frame(bring: Bring, tmp_path: Path, home: Path) -> None:
    for name, size in (("clip.mp4", 2000), ("clip.mkv", 700)):
        path = write_clip(tmp_path / name)
        path.write_bytes(path.read_bytes()[:size])
        assert_refused(bring(path), home, "cut short")


def test_it_refuses_a_video_none_of_whose_frames_decodes(bring: Bring, tmp_path: Path, home: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4")
    data = bytearray(path.read_bytes())
    at = data.index(b"mdat") + 4
    end = at - 8 + struct.unpack(">L", data[at - 8 : at - 4])[0]
    data[at:end] = b"\xff" * (end - at)
    path.write_bytes(data)
    assert_refused(bring(path), home, "No frame of this video can be decoded")


@pytest.mark.parametrize("cover", [False, True])
def test_it_refuses_sound_without_pictures(bring: Bring, tmp_path: Path, home: Path, cover: bool) -> None:
    assert_refused(bring(write_sound(tmp_path / "song.mp4", cover)), home, "sound")


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n",
        "\ufeff#EXTM3U\n#EXTINF:1,\n{secret}\n",
        "ffconcat version 1.0\nfile '{secret}'\n",
        "file '{secret}'\n",
        '<?xml version="1.0"?><MPD><BaseURL>file://{secret}</BaseURL></MPD>',
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        "[playlist]\nFile1={secret}\n",
    ],
)
@pytest.mark.parametrize("name", ["clip.mp4", "clip.m3u8", "clip.gif"])
def test_it_refuses_a_playlist_in_any_disguise(bring: Bring, tmp_path: Path, home: Path, text: str, name: str) -> None:
    secret = write_clip(tmp_path / "secret.mp4")
    assert_refused(bring(text_file(tmp_path / name, text.format(secret=secret))), home, "playlist")


@pytest.mark.parametrize(
    "entry", ["../evil.png", "a/../../evil.png", "/etc/evil.png", "C:\\evil.png", "..\\evil.png", "\\\\host\\evil.png"]
)
def test_it_refuses_a_zip_that_points_outside(bring: Bring, tmp_path: Path, home: Path, entry: str) -> None:
    path = write_zip(tmp_path / "clip.zip", [*GOOD, (entry, numbered_picture(3))])
    assert_refused(bring(path), home, "points outside", "evil.png")
    assert not list(tmp_path.rglob("evil.png"))


def test_it_refuses_a_zip_with_a_link(bring: Bring, tmp_path: Path, home: Path) -> None:
    assert_refused(bring(write_link(tmp_path / "clip.zip", "/etc/passwd")), home, "is a link")


def test_it_counts_bytes_while_a_zip_inflates(bring: Bring, tmp_path: Path, home: Path, limit: Limit) -> None:
    limit("MASKWRIGHT_MAX_WIDTH", 400)
    limit("MASKWRIGHT_MAX_HEIGHT", 300)
    path = write_zip(tmp_path / "bomb.zip", [*GOOD, ("3.png", bytes(200 << 20))])
    assert path.stat().st_size < 1 << 20
    assert_refused(bring(path), home, "inflates", "3.png")


def test_it_counts_the_bytes_of_all_entries_together(bring: Bring, tmp_path: Path, home: Path, limit: Limit) -> None:
    limit("MASKWRIGHT_MAX_UPLOAD_MB", 1)
    noise = np.random.default_rng(1).integers(0, 255, (160, 240, 3), np.uint8)
    padded = picture(noise, "BMP") + bytes(1 << 20)
    path = write_zip(tmp_path / "bomb.zip", [(f"{index}.bmp", padded) for index in range(6)])
    assert_refused(bring(path), home, "inflates to far more")


def test_it_believes_no_size_that_a_zip_states(bring: Bring, tmp_path: Path, home: Path, limit: Limit) -> None:
    limit("MASKWRIGHT_MAX_WIDTH", 400)
    limit("MASKWRIGHT_MAX_HEIGHT", 300)
    path = write_zip(tmp_path / "bomb.zip", [("0.png", bytes(50 << 20))])
    data = path.read_bytes().replace(struct.pack("<L", 50 << 20), struct.pack("<L", 100))
    path.write_bytes(data)
    assert_refused(bring(path), home)


def test_it_refuses_a_zip_with_too_many_entries(bring: Bring, tmp_path: Path, home: Path, limit: Limit) -> None:
    limit("MASKWRIGHT_MAX_FRAMES", 2)
    path = write_zip(tmp_path / "clip.zip", [(f"{index}.txt", b"") for index in range(1100)])
    assert_refused(bring(path), home, "1100 entries")


def zip64(path: Path, files: list[tuple[str, bytes]], count: int, size: int) -> Path:
    """Write a zip with two end records: the usual one, and the one for large zips (ZIP64), whose numbers are right.

    The usual end record states `count` entries and a directory of `size` bytes, which may be wrong.
    """
    data = write_zip(path, files).read_bytes()
    body, end = data[:-22], list(struct.unpack("<4s4H2LH", data[-22:]))
    large = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, end[4], end[4], end[5], end[6])
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(body), 1)
    end[3:6] = count, count, size
    path.write_bytes(body + large + locator + struct.pack("<4s4H2LH", *end))
    return path


@pytest.mark.parametrize(("count", "size"), [(0xFFFF, 0xFFFFFFFF), (3, 150), (1, 60)])
def test_it_takes_a_zip_with_the_record_of_large_ones(bring: Bring, tmp_path: Path, count: int, size: int) -> None:
    video = bring(zip64(tmp_path / "clip.zip", GOOD, count, size))
    assert (video.state, video.error, video.frame_count) == (VideoState.READY, "", 3)


def test_it_reads_no_large_directory_whichever_record_states_it(
    bring: Bring, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, reader_thread: None
) -> None:
    monkeypatch.setattr(archives, "MAX_DIRECTORY_BYTES", 152)  # The directory of the zip of GOOD has 153 bytes.
    words = "The zip has far too many entries."
    assert_refused(bring(write_zip(tmp_path / "plain.zip", GOOD)), home, words)
    assert_refused(bring(zip64(tmp_path / "large.zip", GOOD, 0xFFFF, 0xFFFFFFFF)), home, words)
    assert_refused(bring(zip64(tmp_path / "lies.zip", GOOD, 1, 60)), home, words)
    monkeypatch.setattr(archives, "MAX_DIRECTORY_BYTES", 153)
    with archives.ZipFiles(tmp_path / "lies.zip") as files:
        assert len(files.names) == 3


def test_it_refuses_a_zip_with_names_that_cannot_be_read(bring: Bring, tmp_path: Path, home: Path) -> None:
    path = write_zip(tmp_path / "clip.zip", [*GOOD, ("\u00e9.png", numbered_picture(3))])
    path.write_bytes(path.read_bytes().replace("\u00e9.png".encode(), b"\xff\xff.png"))
    assert_refused(bring(path), home, "damaged")


def test_it_refuses_an_encrypted_zip(bring: Bring, tmp_path: Path, home: Path) -> None:
    path = write_zip(tmp_path / "clip.zip", GOOD)
    data = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + flags] |= 1
            at = data.find(signature, at + 4)
    path.write_bytes(data)
    assert_refused(bring(path), home, "encrypted")


def test_it_refuses_a_zip_without_pictures(bring: Bring, tmp_path: Path, home: Path) -> None:
    assert_refused(bring(write_zip(tmp_path / "a.zip", [("a.txt", b"x")])), home, "no pictures")
    with zipfile.ZipFile(tmp_path / "c.zip", "w"):
        pass
    assert_refused(bring(tmp_path / "c.zip"), home, "no pictures")


def test_it_refuses_pictures_of_mixed_sizes(bring: Bring, tmp_path: Path, home: Path) -> None:
    odd = picture(np.zeros((160, 238, 3), np.uint8))
    path = write_zip(tmp_path / "clip.zip", [*GOOD, ("10.png", odd)])
    assert_refused(bring(path), home, "10.png is 238x160", "240x160")


def test_it_refuses_a_picture_of_30000_by_30000(bring: Bring, tmp_path: Path, home: Path) -> None:
    path = write_zip(tmp_path / "clip.zip", [("0.png", huge_png(30_000))])
    assert path.stat().st_size < 1 << 20
    assert_refused(bring(path), home, "0.png", "pixels")


def test_it_names_size_and_limit_of_a_picture_that_is_too_large(bring: Bring, tmp_path: Path, home: Path) -> None:
    path = write_zip(tmp_path / "clip.zip", [("0.png", huge_png(5000))])
    assert_refused(bring(path), home, "0.png is 5000x5000", "4096x2304")


def test_it_refuses_a_video_that_is_too_large(bring: Bring, tmp_path: Path, home: Path, limit: Limit) -> None:
    limit("MASKWRIGHT_MAX_WIDTH", 200)
    assert_refused(bring(write_clip(tmp_path / "clip.mp4")), home, "240x160", "at most 200x")


def test_it_makes_no_room_for_a_size_that_is_only_claimed(
    bring: Bring, tmp_path: Path, home: Path, reader_thread: None
) -> None:
    """A small GIF whose header states 30,000 x 30,000 pixels is refused before memory is allocated (3.6 GB a frame)."""
    path = write_gif(tmp_path / "clip.gif", 4)
    data = bytearray(path.read_bytes())
    data[6:10] = struct.pack("<HH", 30_000, 30_000)
    path.write_bytes(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert_refused(bring(path), home, "far too many pixels")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000, "kB"


@pytest.mark.parametrize(("name", "codec"), [("clip.mp4", "libx264"), ("clip.avi", "mpeg4"), ("clip.mkv", "ffv1")])
def test_it_names_the_size_of_a_video_that_is_a_little_too_large(
    bring: Bring, tmp_path: Path, home: Path, name: str, codec: str
) -> None:
    path = write_clip(tmp_path / name, 1, size=(4400, 2400), codec=codec)
    assert_refused(bring(path), home, "4400x2400", "at most 4096x2304")


def test_it_takes_a_video_that_stands_upright(bring: Bring, tmp_path: Path, limit: Limit) -> None:
    limit("MASKWRIGHT_MAX_WIDTH", 240)
    limit("MASKWRIGHT_MAX_HEIGHT", 160)
    assert bring(write_clip(tmp_path / "clip.mp4", 3, size=(160, 240))).state == VideoState.READY
    limit("MASKWRIGHT_MAX_HEIGHT", 158)
    assert bring(write_clip(tmp_path / "clip.mp4", 3, size=(160, 240))).state == VideoState.FAILED


def test_it_refuses_a_picture_that_is_broken(bring: Bring, tmp_path: Path, home: Path) -> None:
    cut = numbered_picture(3)[:500]
    assert_refused(bring(write_zip(tmp_path / "clip.zip", [*GOOD, ("3.png", cut)])), home, "3.png")


@pytest.mark.parametrize("kind", ["mp4", "mkv", "gif", "zip"])
def test_it_refuses_too_many_frames(bring: Bring, tmp_path: Path, home: Path, limit: Limit, kind: str) -> None:
    limit("MASKWRIGHT_MAX_FRAMES", 5)
    makers: dict[str, Callable[[Path], Path]] = {
        "mp4": lambda path: write_clip(path, 8),
        "mkv": lambda path: write_clip(path, 8),
        "gif": lambda path: write_gif(path, 8),
        "zip": lambda path: write_zip(path, [(f"{i}.png", numbered_picture(i)) for i in range(8)]),
    }
    assert_refused(bring(makers[kind](tmp_path / f"clip.{kind}")), home, "more than 5 frames")


def test_frames_that_an_edit_list_cuts_do_not_count(bring: Bring, tmp_path: Path, limit: Limit) -> None:
    limit("MASKWRIGHT_MAX_FRAMES", 25)
    path = write_clip(tmp_path / "clip.mp4", 40, options={"bf": "3", "g": "10"})
    assert bring(path).state == VideoState.FAILED
    assert bring(with_edit(path, skip=13, keep=20)).frame_count == 20


def test_it_stops_before_the_disk_is_full(
    bring: Bring, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, reader_thread: None
) -> None:
    """The disk has enough room when the import starts, but not later. The import fails and removes its files."""
    looks = iter([2 << 30, 2 << 30])
    monkeypatch.setattr(refusal, "free_bytes", lambda: next(looks, 100 << 20))
    path = write_clip(tmp_path / "clip.mp4", 120)
    assert_refused(bring(path), home, "disk is nearly full", "100 MB")


def test_it_ends_with_a_sentence_when_a_write_finds_the_disk_full(
    bring: Bring, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, reader_thread: None
) -> None:
    real = Path.write_bytes

    def write(self: Path, data: bytes) -> int:
        if "frames" in self.parts and self.stem == "000007":
            raise OSError(28, "No space left on device")
        return real(self, data)

    path = write_clip(tmp_path / "clip.mp4")
    monkeypatch.setattr(Path, "write_bytes", write)
    assert_refused(bring(path), home, "disk is nearly full")


@pytest.mark.parametrize("wrong", ["colour", "size", "orphan", "broken"])
def test_it_refuses_masks_that_cannot_be_ground_truth(bring: Bring, tmp_path: Path, home: Path, wrong: str) -> None:
    rng = np.random.default_rng(0)
    masks = {
        "colour": ("0.png", picture(rng.integers(0, 255, (160, 240, 3), np.uint8)), "colours"),
        "size": ("0.png", picture(np.zeros((80, 120), np.uint8)), "120x80"),
        "orphan": ("7.png", picture(np.zeros((160, 240), np.uint8)), "no frame of the same name"),
        "broken": ("0.png", b"\x89PNG\r\n\x1a\n rest", "cannot be read"),
    }
    name, data, words = masks[wrong]
    frames = [(f"JPEGImages/480p/fish/{i}.png", numbered_picture(i)) for i in range(3)]
    path = write_zip(tmp_path / "fish.zip", [*frames, (f"Annotations/480p/fish/{name}", data)])
    assert_refused(bring(path), home, words)


def test_it_opens_no_connection_for_any_refusal(tmp_path: Path, bring: Bring, home: Path) -> None:
    """Playlists are refused without a connection to the URLs in them. A socket of this test listens there."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        address = f"http://127.0.0.1:{door.getsockname()[1]}/clip.ts"
        for text in (f"#EXTM3U\n#EXTINF:1,\n{address}\n", f"ffconcat version 1.0\nfile '{address}'\n", address):
            assert_refused(bring(text_file(tmp_path / "clip.mp4", text)), home)
        door.setblocking(False)
        with pytest.raises(BlockingIOError):
            door.accept()  # It would return a connection that was made meanwhile.
