"""Tests of webapp/videos/belonging.py and webapp/storage/site_id.py: files of another or a newer state are refused."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import call_command

from webapp import doctor
from webapp.accounts.models import User
from webapp.annotation.models import Round
from webapp.projects.models import Project
from webapp.storage.site_id import WrongFiles, own_id, store_id, stored_id
from webapp.videos.belonging import last_number, raise_number, refuse_wrong_files
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


def test_numbers_are_raised_and_never_lowered(project: Project, owner: User) -> None:
    last = last_number(Video)
    Video.objects.create(project=project, name="reef", created_by=owner).delete()
    assert last_number(Video) == last + 1, "the number of a deleted video counts"
    for to, expected in ((last + 50, last + 50), (last, last + 50)):
        raise_number(Video, to)
        assert last_number(Video) == expected
    raise_number(Round, last_number(Round) + 3)
    assert Video.objects.create(project=project, name="bay", created_by=owner).pk == last + 51
