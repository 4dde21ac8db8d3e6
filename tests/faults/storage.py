"""Faults of storage: a full or slow disk under the data folder, and a site that is restored from a backup."""

from __future__ import annotations

import errno
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maskwright.client import ApiError, Maskwright
from tests.faults import slow_disk
from tests.faults.one_machine import SLOW, Site
from tests.faults.services import own_services
from tests.faults.table import Row, repeat
from tests.house.visitor import Visitor
from tests.studio import MANAGE, Studio, environment_of
from tests.webapp.videos.archives import numbered_picture, write_zip

DISK_MB = 64
NO_RESERVE = {"MASKWRIGHT_MIN_FREE_MB": "0"}  # So that the disk becomes really full.


def small_disk_allowed() -> bool:
    """Return whether this user may mount a disk in memory."""
    with tempfile.TemporaryDirectory(prefix="maskwright-disk-") as folder:
        command = ["mount", "-t", "tmpfs", "-o", "size=1m", "maskwright", folder]
        if subprocess.run(command, capture_output=True).returncode != 0:
            return False
        subprocess.run(["umount", folder], check=True)
    return True


@contextmanager
def small_disk() -> Iterator[Path]:
    """Mount a disk of `DISK_MB` in memory, and yield its folder."""
    with tempfile.TemporaryDirectory(prefix="maskwright-disk-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "maskwright", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def faults(tries: int) -> Iterator[Row]:
    """Make each fault of the storage of one machine, and yield a row for each."""
    yield full_disks(team=False, tries=tries)
    yield slow_disks(tries)
    yield restores(tries)


def full_disks(*, team: bool, tries: int) -> Row:
    """Fill the disk under the data folder of a site, on one machine or of a team, as often as `tries` says.

    The losses are those that `FullDisk.fill` counts.
    """
    name = f"the disk is full while people draw and upload{', team' if team else ''}"
    if not small_disk_allowed():
        return Row(name, 0, 0, 0.0, "left out: this user may not mount a disk in memory")
    if not team:
        with small_disk() as home, Studio(home, **SLOW, **NO_RESERVE) as studio, Visitor(studio) as owner:
            return repeat(name, tries, FullDisk(studio, owner, strokes_are_refused=True).fill)
    with own_services() as (redis, postgres), small_disk() as home:
        urls = {"REDIS_URL": redis.url, "DATABASE_URL": postgres.url}
        with Studio(home, **SLOW, **NO_RESERVE, **urls) as studio, Visitor(studio) as owner:
            return repeat(name, tries, FullDisk(studio, owner, strokes_are_refused=False).fill)


class FullDisk:
    """A site on a small disk. With `strokes_are_refused` its database is on that disk, too."""

    def __init__(self, studio: Studio, owner: Visitor, *, strokes_are_refused: bool) -> None:
        self._studio, self._site = studio, Site(studio, owner)
        self._refused_ones = strokes_are_refused
        self._token = token_of(studio)

    def fill(self, number: int) -> int:
        """Fill the disk, draw and upload, and make room again.

        Return the number of losses. These are acknowledged scribbles that are gone or, where the database is on another
        disk, scribbles that were not acknowledged; an upload that succeeds although the disk is full; an upload that
        fails although there is room; and each wrong mask of a round that is run at the end.
        """
        lost = 0
        filling = self._studio.home / "filling"
        write_until_full(filling)
        try:
            lost += self._site.strokes_lost(12, may_be_refused=self._refused_ones)
            lost += uploads(self._studio, self._token)
        finally:
            filling.unlink()
        lost += not uploads(self._studio, self._token)
        return lost + self._site.round_while(lambda: None, after_masks=5)


def slow_disks(tries: int) -> Row:
    """Draw, upload and compute on a site whose disk is slow, as often as `tries` says.

    The losses are scribbles that are not stored or whose acknowledgement takes more than 4 s, wrong masks, and failed
    uploads.
    """
    name = f"every synchronisation of the disk takes {slow_disk.LATE_MS} ms"
    if not slow_disk.possible():
        return Row(name, 0, 0, 0.0, "left out: it needs Linux and a C compiler")
    with tempfile.TemporaryDirectory(prefix="maskwright-slow-") as folder:
        home = Path(folder) / "home"
        late = slow_disk.environment(home, Path(folder))
        with Studio(home, **SLOW, **late) as studio, Visitor(studio) as owner:
            site, token = Site(studio, owner), token_of(studio)

            def attempt(number: int) -> int:
                lost = site.strokes_while(lambda: None, lambda: None)
                lost += site.round_while(lambda: None, after_masks=5)
                return lost + (not uploads(studio, token))

            return repeat(name, tries, attempt)


def token_of(studio: Studio) -> str:
    """Return a new token with which the owner may upload."""
    return studio.manage("token", "owner", "faults", "--write").split()[-1]


def uploads(studio: Studio, token: str) -> bool:
    """Upload a small video, and return whether it was imported."""
    with tempfile.TemporaryDirectory(prefix="maskwright-clip-") as folder, Maskwright(studio.address, token) as site:
        pictures = [(f"{number}.png", numbered_picture(number)) for number in range(4)]
        clip = write_zip(Path(folder) / "clip.zip", pictures)
        try:
            return bool(site.project("Disk").upload(clip).info["frame_count"] == 4)
        except ApiError:
            return False


def write_until_full(path: Path) -> None:
    """Write a file until its disk has no room."""
    for size in (1 << 20, 1 << 12, 1 << 8):
        with path.open("ab", buffering=0) as file:
            try:
                while True:
                    if file.write(bytes(size)) < size:
                        break
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


def restores(tries: int) -> Row:
    """`tries` times: draw, back the running site up, restore the backup into an empty folder, and compare both."""
    with (
        tempfile.TemporaryDirectory(prefix="maskwright-faults-") as home,
        Studio(Path(home), **SLOW) as studio,
        Visitor(studio) as owner,
    ):
        site = Site(studio, owner)
        return repeat(
            "a backup of a running site is restored into an empty folder", tries, lambda _: _restore(studio, site)
        )


def _restore(studio: Studio, site: Site) -> int:
    """Back a site up and restore it. Return how many scribbles and masks were lost before, or differ afterwards."""
    lost = site.strokes_lost(3)
    with tempfile.TemporaryDirectory(prefix="maskwright-restored-") as home:
        archive = Path(home) / "site.tar"
        kept = site.content()
        studio.manage("backup", str(archive))
        lost += site.strokes_lost(3)  # These may or may not be in the backup, which was made before.
        empty = Path(home) / "site"
        command = [sys.executable, str(MANAGE), "restore", str(archive)]
        subprocess.run(command, env=environment_of(empty), check=True, capture_output=True)
        with Studio(empty, **SLOW) as restored, Visitor(restored) as owner:
            found = site.content(owner)
    return lost + sum(found.get(name) != data for name, data in kept.items())
