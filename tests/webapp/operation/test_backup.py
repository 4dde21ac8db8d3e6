"""Tests of webapp/operation/backup.py: what a backup contains, and what a restore does and when it refuses."""

from __future__ import annotations

import io
import shutil
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.utils import timezone

from tests.webapp.conftest import run
from tests.webapp.operation.conftest import Site
from webapp.annotation.models import Round
from webapp.installation import COMMAND
from webapp.operation import backup, database_copy
from webapp.operation.backup import BackupFailed, check_backup, finish_restore, restore_backup, write_backup
from webapp.operation.database_copy import CopyFailed
from webapp.storage.site_id import own_id, store_id, stored_id
from webapp.videos.belonging import last_number, refuse_wrong_files
from webapp.videos.models import Video
from webapp.videos.storage import folder_of


@pytest.fixture
def archive(site: Site, tmp_path: Path) -> Path:
    write_backup(tmp_path / "backup.tar", with_frames=True)
    return tmp_path / "backup.tar"


@pytest.fixture
def empty(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """Make an empty data folder the current one, and let a restore write its database there. Yield the folder."""
    settings.HOME = tmp_path / "empty"
    settings.HOME.mkdir()
    with pytest.MonkeyPatch.context() as patch:  # undone before pytest-django empties the tables
        patch.setattr(backup.connection.introspection, "table_names", list)
        patch.setattr(database_copy.connections, "close_all", lambda: None)
        yield tmp_path / "empty"


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rewritten(archive: Path, change: Callable[[str, bytes], tuple[str, bytes] | None]) -> Path:
    """Copy a tar archive and return the path of the copy. `change` is called with the name and data of each file.

    `change` returns the name and data for the copy, or None to leave the file out.
    """
    to = archive.with_name("changed.tar")
    with tarfile.open(archive) as old, tarfile.open(to, "w") as new:
        for member in old:
            file = old.extractfile(member)
            assert file is not None
            changed = change(member.name, file.read())
            if changed is not None:
                entry = tarfile.TarInfo(changed[0])
                entry.size = len(changed[1])
                new.addfile(entry, io.BytesIO(changed[1]))
    return to


def test_a_restored_site_has_the_same_database_frames_and_weights(
    archive: Path, site: Site, empty: Path, settings: Any
) -> None:
    assert check_backup(archive).left_out == []
    restore_backup(archive)
    assert UUID(stored_id()) != own_id(), "nothing starts before the restore is finished"
    for name in ("videos", "weights"):
        assert files_below(empty / name) == files_below(site.home / name)
    with closing(sqlite3.connect(empty / "maskwright.sqlite3")) as database:
        masks = database.execute("SELECT frame, data FROM annotation_mask ORDER BY frame").fetchall()
        assert database.execute("SELECT username FROM accounts_user").fetchone() == ("owner",)
    assert masks == [(mask.frame, bytes(mask.data)) for mask in site.round.masks.order_by("frame")]
    assert not (empty / "exports").exists()
    assert (empty / "maskwright.sqlite3").stat().st_mode & 0o077 == 0


def test_an_archive_is_for_its_owner_alone_and_holds_no_secret_key(site: Site, archive: Path) -> None:
    assert archive.stat().st_mode & 0o077 == 0
    with tarfile.open(archive) as tar:
        assert not [name for name in tar.getnames() if "key" in name]


def test_a_backup_without_frames_keeps_the_ground_truth(site: Site, tmp_path: Path) -> None:
    manifest = write_backup(tmp_path / "small.tar", with_frames=False)
    assert {name.split("/")[2] for name in manifest.files if name.startswith("videos/")} == {"truth"}


def test_a_video_that_is_deleted_meanwhile_is_named(site: Site, tmp_path: Path) -> None:
    def delete_after_the_first_frame(name: str) -> None:
        if name.endswith("frames/000001.jpg"):
            shutil.rmtree(folder_of(site.video.pk).root)

    manifest = write_backup(tmp_path / "b.tar", with_frames=True, on_file=delete_after_the_first_frame)
    assert manifest.left_out == [site.video.pk]
    assert check_backup(tmp_path / "b.tar").left_out == [site.video.pk]


def test_a_backup_that_fails_leaves_no_file(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(to: Path) -> None:
        raise CopyFailed("No space left on device")

    monkeypatch.setattr(backup, "copy_database", full)
    (tmp_path / "out").mkdir()
    with pytest.raises(CopyFailed):
        write_backup(tmp_path / "out" / "b.tar", with_frames=True)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_that_is_there_is_never_replaced(archive: Path) -> None:
    before = archive.read_bytes()
    with pytest.raises(BackupFailed, match="exists already"):
        write_backup(archive, with_frames=True)
    assert archive.read_bytes() == before


DAMAGED: dict[str, tuple[Callable[[str, bytes], tuple[str, bytes] | None], str]] = {
    "a changed frame": (
        lambda name, data: (name, data[:-1] + b"!") if name.endswith("frames/000002.jpg") else (name, data),
        "000002.jpg differs",
    ),
    "a missing frame": (lambda name, data: None if name.endswith("000002.jpg") else (name, data), "000002.jpg differs"),
    "no manifest": (lambda name, data: None if name == "manifest.json" else (name, data), "cut off"),
    "a broken manifest": (lambda name, data: (name, b"{") if name == "manifest.json" else (name, data), "manifest"),
    "a newer format": (
        lambda name, data: (name, data.replace(b'"format": 2', b'"format": 3')),
        "newer version of Maskwright",
    ),
    "a path that leaves the folder": (
        lambda name, data: ("weights/../../escaped", data) if name.startswith("weights") else (name, data),
        "no backup of Maskwright",
    ),
    "an absolute path": (
        lambda name, data: ("/escaped", data) if name.startswith("weights") else (name, data),
        "no backup of Maskwright",
    ),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_archive_is_refused_and_changes_nothing(archive: Path, empty: Path, case: str) -> None:
    change, sentence = DAMAGED[case]
    damaged = rewritten(archive, change)
    with pytest.raises(BackupFailed, match=sentence):
        check_backup(damaged)
    with pytest.raises(BackupFailed, match=sentence):
        restore_backup(damaged)
    assert list(empty.iterdir()) == []
    assert not list(archive.parent.glob("escaped"))


@pytest.mark.parametrize("size", [0, 100, 5000, -10])
def test_an_archive_that_was_cut_is_refused(archive: Path, size: int) -> None:
    cut = archive.with_name("cut.tar")
    cut.write_bytes(archive.read_bytes()[:size] if size >= 0 else archive.read_bytes()[:-20_000])
    with pytest.raises(BackupFailed):
        check_backup(cut)


def test_a_site_in_use_is_never_overwritten(archive: Path, site: Site) -> None:
    hour_ago = timezone.now() - timedelta(hours=1)
    for rows in (Video.objects.all(), Round.objects.all()):
        rows.update(created_at=hour_ago)
    run(site.video, site.round.author, site.round.pk, frame=4)
    Round.objects.filter(state="queued").update(created_at=timezone.now() + timedelta(seconds=1))
    before = files_below(site.home)
    with pytest.raises(BackupFailed, match=r"not empty \(0 videos and 1 rounds are newer than the backup"):
        restore_backup(archive)
    assert files_below(site.home) == before


def test_a_lost_database_is_restored_beside_the_files_of_the_same_site(
    archive: Path, site: Site, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = last_number(Video)
    for number in (site.video.pk, last + 3):
        (empty / "videos" / str(number)).mkdir(parents=True)
    with pytest.raises(BackupFailed, match="With --keep-files"):
        restore_backup(archive)
    store_id(uuid4())
    with pytest.raises(BackupFailed, match=r"files are of site .* remove the file site-id from .*, and restore again"):
        restore_backup(archive, keep_files=True)
    assert not (empty / "maskwright.sqlite3").exists()
    (empty / "site-id").unlink()
    restore_backup(archive, keep_files=True)
    (empty / "maskwright.sqlite3").unlink()
    store_id(own_id())
    restore_backup(archive, keep_files=True)
    assert (empty / "maskwright.sqlite3").exists()
    assert files_below(empty / "videos") == {}
    assert finish_restore(keep_files=True) == (
        f"Newer than the backup are the files of 1 videos ({last + 3}). They stay, and have no row: "
        f"`{COMMAND} fsck --repair` would remove them, so copy first what you still need."
    )
    refuse_wrong_files()
    assert last_number(Video) > last + 3


@pytest.mark.parametrize("earlier", ["", str(UUID(int=7))])
def test_a_database_that_cannot_be_put_in_place_leaves_the_site_id_as_it_was(
    archive: Path, empty: Path, monkeypatch: pytest.MonkeyPatch, earlier: str
) -> None:
    def no_database(database: Path) -> None:
        assert stored_id() not in ("", earlier), "nothing may start meanwhile"
        database.write_bytes(b"no database at all " * 100)
        database_copy.put_database(database)

    store_id(earlier)
    before = files_below(empty)
    monkeypatch.setattr(backup, "put_database", no_database)
    with pytest.raises(CopyFailed, match="database in this backup is damaged"):
        restore_backup(archive)
    assert stored_id() == earlier
    assert files_below(empty) == before


def test_a_backup_of_team_mode_is_refused_by_an_embedded_site(archive: Path, empty: Path) -> None:
    def dumped(name: str, data: bytes) -> tuple[str, bytes]:
        return name.replace("database.sqlite3", "database.pgdump"), data.replace(
            b"database.sqlite3", b"database.pgdump"
        )

    with pytest.raises(BackupFailed, match="embedded mode, and the backup is of a site in team mode"):
        restore_backup(rewritten(archive, dumped))
    assert list(empty.iterdir()) == []


def test_the_commands_say_what_they_did(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("backup", str(archive), "--check")
    assert "is sound" in capsys.readouterr().out
    archive.write_bytes(b"")
    with pytest.raises(SystemExit) as ended:
        call_command("backup", str(archive), "--check")
    assert ended.value.code == 2
    assert Video.objects.count() == 1
