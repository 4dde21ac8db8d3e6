"""Detects the format of a file by its first bytes: never by its name, and never by letting a library guess.

FFmpeg also detects playlists (m3u8, concat, DASH, SDP ...) and opens the files and addresses in them. So only the
formats below are opened, each with its demuxer named explicitly.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from webapp.videos.refusal import Refused

KNOWN = "Bring an mp4, mov, mkv, webm, avi, ogv or gif file, or a zip of pictures."
# Brands of ISO files that are still images. FFmpeg would read each of their tiles as a video.
STILL_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif", b"crx "})
ISO_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"})
PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\x00", b"MM\x00*")
SOUND = (b"ID3", b"fLaC", b"\xff\xfb", b"\xff\xf3", b"\xff\xf1", b"\xff\xf9")
PLAYLISTS = (b"#extm3u", b"ffconcat", b"<?xml", b"<mpd", b"<smil", b"v=0", b"[playlist]", b"#ext-x", b"file ", b"http")


class Container(Enum):
    """A supported file format.

    The value is the name of FFmpeg's demuxer, or "" for zip files, which FFmpeg does not read.
    """

    ISO = "mov"
    MATROSKA = "matroska"
    AVI = "avi"
    GIF = "gif"
    OGG = "ogg"
    ZIP = ""


def container_of(path: Path) -> Container:
    """Detect the format of the file at `path`. Raises Refused, which names the kind of file if known, for all other
    formats.
    """
    with path.open("rb") as file:
        return container_of_start(file.read(4096))


def container_of_start(start: bytes) -> Container:
    """Detect the format of a file from its first bytes, of which 4096 are enough. Raises what `container_of` raises."""
    if start[4:8] in ISO_BOXES and not _is_still(start):
        return Container.ISO
    if start.startswith(b"\x1aE\xdf\xa3"):
        return Container.MATROSKA
    if start.startswith(b"RIFF") and start[8:12] == b"AVI ":
        return Container.AVI
    if start.startswith((b"GIF87a", b"GIF89a")):
        return Container.GIF
    if start.startswith(b"OggS"):
        return Container.OGG
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Container.ZIP
    raise _refusal(start)


def _is_still(start: bytes) -> bool:
    return start[4:8] == b"ftyp" and start[8:12] in STILL_BRANDS


def _refusal(start: bytes) -> Refused:
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        return Refused("empty", "The file is empty.")
    if text.startswith(PLAYLISTS):
        return Refused("playlist", f"This is a playlist or a description of a stream, not a video itself. {KNOWN}")
    if start.startswith(PICTURES) or (start.startswith(b"RIFF") and start[8:12] == b"WEBP") or _is_still(start):
        return Refused("single_picture", "This is a single picture, not a video. Bring the pictures of one in a zip.")
    if start.startswith(SOUND) or (start.startswith(b"RIFF") and start[8:12] == b"WAVE"):
        return Refused("audio_only", "The file has sound but no pictures.")
    return Refused("not_a_video", f"This is not a video that can be read. {KNOWN}")
