"""Backups: one tar file with the database, the frames and the weights, written while Maskwright runs.

An archive holds, in this order,

    database.sqlite3 or database.pgdump     a copy of the whole database, of one moment
    videos/<id>/frames, thumbs, truth       the files of every video that was ready then, or only truth
    videos/<id>/source.json                 what the frames were called in the file that was imported
    weights/...                             checkpoints that people added
    manifest.json                           size and SHA-256 of every file above, and the version that wrote it

Frames never change once a video is ready, so a copy of the database and the files that are read after it fit together.
Left out are exports, which can be made again, uploads that have not been imported, and the secret key: people sign in
again on a restored site.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection

from webapp.accounts.models import User
from webapp.annotation.models import Round
from webapp.installation import COMMAND
from webapp.operation.database_copy import CopyFailed, copy_database, file_name, put_database
from webapp.storage.files import SITE_ID, storage
from webapp.storage.site_id import own_id, set_own_id, store_id, stored_id
from webapp.videos.belonging import last_number, newer_folders, raise_number
from webapp.videos.models import Video, VideoState
from webapp.videos.storage import VIDEOS, VideoFiles, free_bytes, min_free_bytes, read_file

FORMAT = 2  # The version of the archive's layout. A restore reads earlier ones too; 1 had no site id in the manifest.
MANIFEST = "manifest.json"
NUMBERS_LEFT_OUT = 10_000  # More than a site gives to videos or rounds between two backups.
_NAME = re.compile(
    r"database\.(?:sqlite3|pgdump)|videos/[1-9]\d*/(?:frames|thumbs|truth)/\d{6}\.(?:jpg|png)|"
    r"videos/[1-9]\d*/source\.json|weights/.+"
)
_BLOCK = 1 << 20
OnFile = Callable[[str], None]


class BackupFailed(Exception):
    """A backup could not be written, checked or restored. The text says why and what to do."""


@dataclass
class Manifest:
    """What an archive holds. `files` maps each name to its size in bytes and its SHA-256.

    `left_out` are ids of videos of which files were missing, for example because they were deleted while the backup
    was being written. `site` is the site id.
    """

    maskwright: str
    created: str
    with_frames: bool
    files: dict[str, tuple[int, str]] = field(default_factory=dict)
    left_out: list[int] = field(default_factory=list)
    site: str = ""

    def as_json(self) -> bytes:
        return json.dumps({"format": FORMAT, **self.__dict__}, indent=1).encode()


def write_backup(to: Path, *, with_frames: bool, on_file: OnFile = lambda name: None) -> Manifest:
    """Write a backup to the file `to`, which appears under this name when it is complete.

    `on_file` is called with the name of each file before it is read. Raises BackupFailed if `to` exists, which then
    stays as it is. Raises CopyFailed or OSError if the backup cannot be written; then nothing is left at `to`.
    """
    if to.exists():
        raise BackupFailed(f"{to} exists already. Name another file.")
    created = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    manifest = Manifest(version("maskwright"), created, with_frames, site=str(own_id()))
    unfinished = to.with_name(f"{to.name}.unfinished")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
                for name, path in _contents(manifest, to.parent):
                    on_file(name)
                    _add(archive, manifest, name, path)
                data = manifest.as_json()
                entry = tarfile.TarInfo(MANIFEST)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(to)
    finally:
        unfinished.unlink(missing_ok=True)
    return manifest


def _contents(manifest: Manifest, beside: Path) -> Iterator[tuple[str, Path | None]]:
    """Yield the name of each file and its path, which is None for a stored file of a video.

    The copy of the database is made in the folder `beside`.
    """
    with tempfile.TemporaryDirectory(dir=beside, prefix=".backup-") as scratch:
        copy = Path(scratch) / file_name()
        copy_database(copy)
        yield copy.name, copy
    # A video whose import ends after the copy was made is in this list too. A restore removes files without a row.
    for video in Video.objects.filter(state=VideoState.READY).order_by("pk").iterator():
        files = list(_files_of(video, manifest.with_frames))
        if not files and manifest.with_frames:
            manifest.left_out.append(video.pk)
        yield from ((name, None) for name in files)
    weights = Path(settings.HOME) / "weights"
    for path in sorted(path for path in weights.rglob("*") if path.is_file() and not path.is_symlink()):
        yield f"weights/{path.relative_to(weights).as_posix()}", path


def _files_of(video: Video, with_frames: bool) -> Iterator[str]:
    files = VideoFiles(video.pk)
    for part in ("frames", "thumbs", "truth") if with_frames else ("truth",):
        folder = f"{files.folder}/{part}"
        yield from (f"{folder}/{name}" for name in storage().sizes(folder))
    if any(f"{files.folder}/{name}" == files.source for name in storage().sizes(files.folder)):
        yield files.source


def _add(archive: tarfile.TarFile, manifest: Manifest, name: str, path: Path | None) -> None:
    """Add a file to the archive and its size and hash to the manifest. A file that was just deleted is skipped."""
    try:
        file = io.BytesIO(read_file(name)) if path is None else path.open("rb")
    except FileNotFoundError:
        video = int(name.split("/")[1]) if name.startswith("videos/") else 0
        if not video:
            raise
        if video not in manifest.left_out:
            manifest.left_out.append(video)
        return
    with file:
        entry = tarfile.TarInfo(name)
        entry.size = file.seek(0, os.SEEK_END)
        file.seek(0)
        hashing = _Hashing(file)
        archive.addfile(entry, hashing)
        manifest.files[name] = (entry.size, hashing.digest())


class _Hashing:
    """A file that computes the SHA-256 of what is read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._hash = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._hash.update(data)
        return data

    def digest(self) -> str:
        return self._hash.hexdigest()


# --- reading ----------------------------------------------------------------------------------------------------------


def check_backup(archive: Path, *, on_file: OnFile = lambda name: None) -> Manifest:
    """Read a whole archive and compare every file with the manifest. Raises BackupFailed if anything differs."""
    return _read(archive, None, on_file)


def restore_backup(archive: Path, *, keep_files: bool = False, on_file: OnFile = lambda name: None) -> Manifest:
    """Put the contents of a backup into this site, which must be empty and must not run.

    With `keep_files` only the database must be empty: the stored files of the site stay, and those in the backup are
    not used. Everything is unpacked and checked before anything is put in place. Raises BackupFailed or CopyFailed;
    then nothing has changed. The caller migrates the database, and then calls `finish_restore`.
    """
    _refuse_site_in_use(archive, keep_files)
    _refuse_small_disk(archive)
    home = Path(settings.HOME)
    with tempfile.TemporaryDirectory(dir=home, prefix="restoring-") as scratch:
        staging = Path(scratch)
        manifest = _read(archive, staging, on_file)
        database = staging / file_name()
        if not database.exists():
            mode, other = ("team", "embedded") if settings.TEAM_MODE else ("embedded", "team")
            raise BackupFailed(
                f"This site runs in {mode} mode, and the backup is of a site in {other} mode. Restore it into a site "
                "of that mode (DATABASE_URL and REDIS_URL decide)."
            )
        if keep_files:
            _refuse_files_of_another_site(manifest)
        earlier = stored_id()
        if not keep_files:
            store_id(uuid4())  # Until the restore is finished, the database has another id, and nothing starts.
        try:
            put_database(database)
        except (CopyFailed, OSError):
            store_id(earlier)
            raise
        if not keep_files and (staging / VIDEOS).is_dir():
            storage().save_folder(staging / VIDEOS, VIDEOS, lambda: None)
        if (staging / "weights").is_dir():
            shutil.rmtree(home / "weights", ignore_errors=True)
            (staging / "weights").rename(home / "weights")
    return manifest


def finish_restore(*, keep_files: bool) -> str:
    """Give the restored database, once it is migrated, the id of its files.

    Return a text about the files that are newer than the backup, or "" if there are none or `keep_files` is False.
    New videos and rounds get ids that no state of the site has had, because browsers keep pictures by these ids.
    """
    newer = newer_folders()
    for model in (Video, Round):
        raise_number(model, last_number(model) + NUMBERS_LEFT_OUT)
    if found := stored_id():
        set_own_id(UUID(found))
    raise_number(Video, newer[-1] if newer else 0)
    if not keep_files or not newer:
        return ""
    names = ", ".join(map(str, newer[:10])) + (" ..." if len(newer) > 10 else "")
    return (
        f"Newer than the backup are the files of {len(newer)} videos ({names}). They stay, and have no row: "
        f"`{COMMAND} fsck --repair` would remove them, so copy first what you still need."
    )


def _refuse_files_of_another_site(manifest: Manifest) -> None:
    found = stored_id()
    if found and found != manifest.site:
        known = f"of site {manifest.site}" if manifest.site else "of a version that noted no site"
        where = settings.HOME if storage().on_this_disk else "the bucket of STORAGE_URL"
        raise BackupFailed(
            f"The stored files are of site {found[:40]}, and the backup is {known}. If they belong together all the "
            f"same (an earlier version wrote the backup, or the site was restored since), remove the file {SITE_ID} "
            f"from {where}, and restore again."
        )


def _refuse_site_in_use(archive: Path, keep_files: bool) -> None:
    tables = connection.introspection.table_names()
    is_used = User._meta.db_table in tables and User.objects.exists()
    if is_used or (storage().folders(VIDEOS) and not keep_files):
        raise BackupFailed(
            f"This site is not empty{_newer_than(archive) if is_used else ''}. Restore into a new one: an empty data "
            f"folder ({settings.HOME} is in use)"
            + (" and an empty database." if settings.TEAM_MODE else ".")
            + ("" if is_used else " With --keep-files its files stay, and only the database is restored.")
        )
    if settings.TEAM_MODE and tables:
        raise BackupFailed("The database that DATABASE_URL names has tables already. Create an empty one.")


def _newer_than(archive: Path) -> str:
    """Return what the site has that was made after a backup, as the end of a sentence."""
    try:
        with tarfile.open(archive) as tar:
            data = tar.extractfile(MANIFEST)
            created = datetime.fromisoformat(_manifest(data.read() if data else b"").created)
    except (tarfile.TarError, KeyError, OSError, ValueError):
        return ""  # The restore of a file that is no backup is refused with a reason of its own.
    videos = Video.objects.filter(created_at__gt=created).count()
    rounds = Round.objects.filter(created_at__gt=created).count()
    return f" ({videos} videos and {rounds} rounds are newer than the backup of {created:%Y-%m-%d %H:%M} UTC)"


def _refuse_small_disk(archive: Path) -> None:
    try:
        needed = archive.stat().st_size + min_free_bytes()
    except OSError as error:
        raise BackupFailed(f"{archive} cannot be read: {error.strerror}.") from None
    if free_bytes() < needed:
        raise BackupFailed(f"{needed >> 20} MB are needed in {settings.HOME}, and {free_bytes() >> 20} MB are free.")


def _read(archive: Path, into: Path | None, on_file: OnFile) -> Manifest:
    """Read an archive, compare it with its manifest, and unpack it into a folder if one is given."""
    found: dict[str, tuple[int, str]] = {}
    manifest: Manifest | None = None
    try:
        with tarfile.open(archive, "r|") as tar:
            for entry in tar:
                data = tar.extractfile(entry)
                if entry.name == MANIFEST and data is not None:
                    manifest = _manifest(data.read())
                    continue
                if data is None or not _NAME.fullmatch(entry.name) or ".." in entry.name.split("/"):
                    raise BackupFailed(f"{archive.name} is no backup of Maskwright: it holds {entry.name!r}.")
                on_file(entry.name)
                found[entry.name] = _take(data, None if into is None else into / entry.name)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BackupFailed(f"{archive.name} cannot be read as a backup: {error}.") from None
    if manifest is None:
        raise BackupFailed(f"{archive.name} ends too soon: it was cut off while it was written or copied.")
    if wrong := sorted(name for name in found.keys() | manifest.files if found.get(name) != manifest.files.get(name)):
        raise BackupFailed(f"{archive.name} is damaged: {wrong[0]} differs from the manifest ({len(wrong)} files do).")
    return manifest


def _manifest(data: bytes) -> Manifest:
    try:
        read: dict[str, Any] = json.loads(data)
        if read.pop("format") not in range(1, FORMAT + 1):
            raise BackupFailed("This backup was written by a newer version of Maskwright. Install that version first.")
        manifest = Manifest(**read)
        manifest.files = {name: (int(size), str(digest)) for name, (size, digest) in manifest.files.items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BackupFailed(f"The manifest of this backup cannot be read: {error}.") from None
    return manifest


def _take(data: IO[bytes], to: Path | None) -> tuple[int, str]:
    """Read a file to its end, write it to `to` if that is given, and return its size and SHA-256."""
    digest, size = hashlib.sha256(), 0
    if to is not None:
        to.parent.mkdir(parents=True, exist_ok=True)
    with open(os.devnull if to is None else to, "wb") as out:
        while block := data.read(_BLOCK):
            digest.update(block)
            size += len(block)
            out.write(block)
    return size, digest.hexdigest()
