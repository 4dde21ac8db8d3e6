"""The interface by which all other code reads and writes stored files, in the data folder or in a bucket.

A stored file has a name that looks like a path, such as "videos/3/frames/000000.jpg". Its content is written to a file
on this machine first and then saved under its name, so that nobody reads a half-written file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import IO, Protocol

from django.conf import settings

from webapp.storage.address import BucketAddress
from webapp.storage.folder import FolderStorage
from webapp.storage.late_comparison import late_comparison

SITE_ID = "site-id"  # The name of the file with the id of the site to which all files belong (storage/site_id.py).
Beat = Callable[[], object]  # It may be called for each file of a folder, and may raise an exception to stop.


class Storage(Protocol):
    """Stored files. Reading a file that does not exist raises FileNotFoundError, and so does `age` of a missing folder.

    A folder that does not exist is listed as an empty one, and removing what does not exist does nothing. Every method
    may raise OSError.
    """

    on_this_disk: bool  # Whether the files are on the disk of the data folder.

    def open_cached(self, name: str) -> IO[bytes]:
        """Open the file `name`, which never changes, for reading. A copy stays on this machine for the next time."""

    def fetch_ahead(self, names: Iterable[str]) -> None:
        """Say which files will be read next, so that they are on this machine by then. Returns at once."""

    def open(self, name: str, start: int = 0) -> IO[bytes]:
        """Open the file `name` for reading from the byte `start` to its end. It cannot be sought in."""

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the size in bytes of each file in `folder`, by its name within the folder, in the order of names."""

    def folders(self, folder: str) -> list[str]:
        """Return the names, within `folder`, of the folders in it."""

    def save(self, path: Path, name: str) -> None:
        """Store the file at `path` under `name`, in place of an earlier one. There is no file at `path` afterwards."""

    def save_folder(self, path: Path, name: str, beat: Beat) -> None:
        """Store the folder at `path` as the folder `name`, in place of an earlier one. No file is at `path` then."""

    def exchange_folder(self, path: Path, name: str, old: str) -> Callable[[], None]:
        """Store the folder at `path` as the folder `name`, and keep what was there as the folder `old`.

        Returns a function that undoes the exchange.
        """

    def copy_folder(self, source: str, target: str, staging: str, beat: Beat) -> Callable[[], None]:
        """Copy the folder `source`. Returns a function that puts the copy in the place of the folder `target`.

        On a disk the copy is the folder `staging` until then, which is removed if this function fails. In a bucket it
        is at `target` from the start, and the returned function does nothing. Raises FileNotFoundError if there is no
        folder `source`.
        """

    def remove(self, name: str) -> None:
        """Remove a file."""

    def remove_folder(self, name: str) -> None:
        """Remove a folder with everything in it."""

    def set_aside(self, folder: str, name: str) -> None:
        """Mark the folder `name` in `folder` for `remove_set_aside`. This is quick, however many files it has."""

    def remove_set_aside(self, folder: str) -> None:
        """Remove the folders in `folder` that were set aside."""

    def age(self, folder: str) -> float:
        """Return how many seconds ago `folder` was stored, by the time that the disk or the bucket has recorded."""

    def address(self, name: str, *, media_type: str, saved_as: str = "") -> str | None:
        """Return a URL from which a browser can get a file for a while without signing in.

        None if this site serves its files itself. With `saved_as` a browser saves the file under that name.
        """

    def check(self) -> None:
        """Write a file and remove it again. Raises OSError, whose text says what is wrong, if that is not possible."""

    def look(self) -> None:
        """Check that the storage can be reached, without writing. Raise OSError if not, after a few seconds at most."""


def storage() -> Storage:
    """Return the place where this site keeps its files. It is asked for anew for each use.

    Raises StorageAway if its files turn out to be of another site than the database (late_comparison.py).
    """
    late_comparison.make_if_demanded()
    return uncompared_storage()


def uncompared_storage() -> Storage:
    """Return the bucket of STORAGE_URL, or else the data folder, whether or not its files belong to the database."""
    address: BucketAddress | None = settings.CONFIG["STORAGE_URL"]
    if address is None:
        return FolderStorage(Path(settings.HOME))
    config = settings.CONFIG
    return _bucket(address, Path(settings.HOME), config["MASKWRIGHT_CACHE_MB"], config["MASKWRIGHT_MIN_FREE_MB"])


@lru_cache(maxsize=4)
def _bucket(address: BucketAddress, home: Path, cache_mb: int, spare_mb: int) -> Storage:
    from webapp.storage.bucket import BucketStorage  # It needs boto3, which only a site with a bucket has.
    from webapp.storage.cache import FileCache

    return BucketStorage(address, FileCache(cache_folder(home), cache_mb << 20, 2 * (spare_mb << 20), address.digest))


def cache_folder(home: Path) -> Path:
    """Return the folder in which a machine keeps copies of the files of buckets."""
    return home / "cache" / "files"
