"""Tests of webapp/videos/belonging.py and webapp/storage/site_id.py: files of another or a newer state are refused."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import OperationalError
from structlog.testing import capture_logs

from webapp import doctor
from webapp.accounts.models import User
from webapp.annotation.models import Round
from webapp.operation import health
from webapp.projects.models import Project
from webapp.storage import site_id
from webapp.storage.failure import StorageAway, WrongFiles
from webapp.storage.files import SITE_ID, storage
from webapp.storage.late_comparison import late_comparison
from webapp.storage.site_id import own_id, store_id, stored_id
from webapp.videos import belonging
from webapp.videos.belonging import last_number, raise_number, refuse_wrong_files, refuse_wrong_files_or_later
from webapp.videos.models import Video
from webapp.videos.storage import videos_root


def test_files_of_another_site_or_of_a_newer_database_are_refused_until_they_are_adopted(
    home: Path, project: Project, owner: User, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stored_id() == ""
    refuse_wrong_files()
    assert stored_id() == str(own_id()), "files without an id get that of the database"

    other = uuid4()
    store_id(other)
    with pytest.raises(WrongFiles, match=f"another database.*site {other}, not {own_id()}.*MASKWRIGHT_HOME"):
        refuse_wrong_files()
    assert [finding.state for finding in doctor.database()] == ["ok", "wrong"]

    last = Video.objects.create(project=project, name="reef", created_by=owner).pk
    for number in (last, last + 7):
        (videos_root() / str(number)).mkdir(parents=True)
    with pytest.raises(WrongFiles):
        call_command("fsck", "--repair")
    with pytest.raises(SystemExit):  # The folder without a row is still there.
        call_command("fsck", "--adopt")
    said = capsys.readouterr().out
    assert f"New videos get numbers above {last + 7}; the files of 1 newer videos" in said
    assert "fsck --repair` would remove them" in said
    refuse_wrong_files()
    assert Video.objects.create(project=project, name="bay", created_by=owner).pk == last + 8

    (videos_root() / str(last + 99)).mkdir()
    with pytest.raises(WrongFiles, match=f"video {last + 99}, and it has given numbers up to {last + 8} "):
        refuse_wrong_files()


@pytest.mark.parametrize("error", [StorageAway("The server went away."), OperationalError("No connection.")])
def test_files_that_could_not_be_compared_at_the_start_are_compared_before_they_are_used(
    error: Exception, db: None, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(belonging.connection, "close", lambda: None)
    for name, value in (("_compare", None), ("is_refused", False)):  # What this test leaves behind is taken back.
        monkeypatch.setattr(late_comparison, name, value)
    with monkeypatch.context() as away:
        away.setattr(site_id, "own_id", Mock(side_effect=error))
        refuse_wrong_files_or_later()
        with pytest.raises(type(error)):
            storage()
    monkeypatch.setattr("webapp.storage.late_comparison.PAUSE_SECONDS", 0)
    (home / SITE_ID).write_text(f"{uuid4()}\n")
    assert health._storage() == "ok", "who asks does not cause a comparison"
    with capture_logs() as logs, pytest.raises(StorageAway, match=r"belong to another database.*fsck --adopt"):
        storage()
    assert [each["event"] for each in logs] == ["files_refused"]
    assert health._storage() == "its files belong to another database; the log says what to do"

    (home / SITE_ID).write_text(f"{own_id()}\n")  # As `fsck --adopt` does.
    assert health._storage() == "ok"
    (home / SITE_ID).write_text(f"{uuid4()}\n")
    storage()  # It is compared only once.


def test_numbers_are_raised_and_never_lowered(project: Project, owner: User) -> None:
    last = last_number(Video)
    Video.objects.create(project=project, name="reef", created_by=owner).delete()
    assert last_number(Video) == last + 1, "the number of a deleted video counts"
    for to, expected in ((last + 50, last + 50), (last, last + 50)):
        raise_number(Video, to)
        assert last_number(Video) == expected
    raise_number(Round, last_number(Round) + 3)
    assert Video.objects.create(project=project, name="bay", created_by=owner).pk == last + 51
