"""Gets the file or folder that a command is given by an address: http and https, or s3 for a bucket.

A person at the command line can read what this machine can read, so no setting of the site has to allow it. The address
may come from somebody else, though. So the limits of imports hold: every address is checked as in outgoing.py, and a
file has at most MASKWRIGHT_MAX_UPLOAD_MB.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path

from webapp.problems import Problem
from webapp.videos.bucket import is_in_bucket, parse_place
from webapp.videos.fetch_sources import open_address, open_in_bucket
from webapp.videos.importing import OnProgress
from webapp.videos.packing import ReadableFile
from webapp.videos.refusal import check_disk
from webapp.videos.uploads import check_upload_size


def download(address: str, target: Path, on_progress: OnProgress) -> str:
    """Write a file, or a folder of a bucket as a zip, to `target`. Return the name that it has at the address.

    `on_progress` is called with the bytes that are here and all bytes (0: unknown). Raises Problem.
    """
    with _opened(address, _Packing(on_progress)) as opened:
        _write(opened, target, on_progress)
    return opened.name.replace("\0", "")


def _opened(address: str, packing: _Packing) -> AbstractContextManager[ReadableFile]:
    if not is_in_bucket(address):
        return open_address(address)
    if find_spec("boto3") is None:
        raise Problem("no_package", "Reading from a bucket needs further packages: pip install 'maskwright[s3]'.")
    return open_in_bucket(parse_place(address), packing)


def _write(opened: ReadableFile, target: Path, on_progress: OnProgress) -> None:
    if opened.size:
        check_upload_size(opened.size)
        check_disk(opened.size)
    done = 0
    with target.open("wb") as file:
        for piece in opened.pieces:
            done += len(piece)
            check_upload_size(done)
            check_disk()
            file.write(piece)
            on_progress(done, opened.size)
    check_upload_size(done)  # A file may be empty.
    if opened.size and done != opened.size:
        raise Problem("cut_short", f"Only {done:,} of {opened.size:,} bytes came. Try again.")


class _Packing:
    """Checks the size of a folder before it is packed, and reports the progress of the packing."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress

    def begin(self, size: int) -> None:
        check_upload_size(size)
        check_disk(2 * size)  # The packed file lies there until it is copied.

    def report(self, done: int, total: int) -> None:
        self._on_progress(done, total)
