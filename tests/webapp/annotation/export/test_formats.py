"""Tests of the list of export formats that the API returns, and that adding a format needs no migration."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from webapp.accounts.models import User
from webapp.annotation.export import formats, jobs
from webapp.annotation.export.files import download_name
from webapp.annotation.export.formats import FORMATS, MODULES
from webapp.annotation.models import Export, ExportState
from webapp.problems import Problem
from webapp.videos.models import Video

ClientAs = Callable[[User | None], Client]


def test_every_file_of_the_folder_is_in_the_list() -> None:
    folder = Path(formats.__file__).parent
    assert sorted(MODULES) == sorted(path.stem for path in folder.glob("[!_]*.py"))
    assert len(FORMATS) == len(MODULES), "two formats have the same name"


@pytest.mark.parametrize("known", FORMATS.values(), ids=FORMATS.keys())
def test_each_says_what_a_person_needs_to_choose(known: formats.Format) -> None:
    assert known.title
    assert known.note.endswith(".")
    assert known.suffix.isalnum()
    assert known.media_type.count("/") == 1


def test_the_api_lists_them_in_order(client_as: ClientAs, owner: User) -> None:
    answer = client_as(owner).get("/api/export-formats").json()
    assert [row["name"] for row in answer] == list(FORMATS)
    assert {row["name"]: (row["title"], row["note"]) for row in answer} == {
        known.name: (known.title, known.note) for known in FORMATS.values()
    }


def test_a_new_format_is_offered_and_needs_no_migration(
    client_as: ClientAs, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = replace(FORMATS["davis"], name="coco-rle-with-a-long-name", title="COCO")
    monkeypatch.setitem(FORMATS, new.name, new)
    assert client_as(owner).get("/api/export-formats").json()[-1]["title"] == "COCO"
    # This exits with status 1 if a migration is missing.
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    assert Export._meta.get_field("format").choices is None
    assert len(new.name) <= (Export._meta.get_field("format").max_length or 0)


def test_a_format_that_is_not_there_is_refused_with_the_names_of_those_that_are(video: Video, owner: User) -> None:
    with pytest.raises(
        Problem, match=r"no export format called 'gif'\. Choose one of davis, objects, overlay"
    ) as refused:
        jobs.make_export(by=owner, video_id=video.pk, format_name="gif")
    assert refused.value.status == 400
    assert not Export.objects.exists()


def test_an_export_whose_format_is_gone_fails_with_a_sentence(
    video: Video, owner: User, sent_tasks: list[object]
) -> None:
    export = Export.objects.create(video=video, round_id=None, format="gone", author=owner)
    jobs.run_export(export.pk)
    export.refresh_from_db()
    assert export.state == ExportState.FAILED
    assert "no export format 'gone' any more" in export.error


def test_a_download_is_named_after_video_and_format(video: Video, owner: User) -> None:
    export = Export.objects.create(video=video, format="overlay", author=owner)
    assert download_name(export, FORMATS["overlay"].suffix) == "reef.mp4-overlay.mp4"
