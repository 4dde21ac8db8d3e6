"""Tests that exported masks of only some frames are imported at the same frames again, however the files are named.

Further tests are of imports that read for long or wait for an answer.
"""

from __future__ import annotations

import zipfile
from contextlib import nullcontext
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from tests.webapp.annotation.export.test_jobs import COUNT, add_round, labels, make_video
from tests.webapp.annotation.imports.test_mask_imports import coco_file, imported, masks_at_head
from webapp.accounts.models import User
from webapp.annotation.export.files import export_path
from webapp.annotation.export.jobs import make_export, run_export
from webapp.annotation.export.options import Names, Options
from webapp.annotation.imports import reading
from webapp.annotation.imports.lease import FORGOTTEN_AFTER, sweep_mask_imports
from webapp.annotation.models import MaskImport, MaskImportState, Object
from webapp.projects.models import Project
from webapp.videos.models import Upload, Video
from webapp.videos.recovery import ABANDONED_AFTER, sweep_imports
from webapp.videos.source_table import SourceTable, write_source_table
from webapp.videos.storage import folder_of
from webapp.videos.upload_files import upload_path

FORMATS = ["davis", "objects", "npz", "mots", "cvat", "coco", "youtube-vis", "youtube-vos", "cityscapes"]
CHOICES: list[Names | None] = [None, "number", "source"]
CASES = list(product(FORMATS, CHOICES))


def from_pictures(project: Project, owner: User, name: str, digits: int) -> Video:
    """Create a video whose source files are pictures that are numbered from 1 on."""
    made = make_video(project, owner, name=name)
    names = [f"{index + 1:0{digits}}.jpg" for index in range(COUNT)]
    write_source_table(folder_of(made.pk), SourceTable(names, [None] * COUNT))
    return made


def part_of(video: Video, format_name: str, names: Names | None, spans: list[list[int]]) -> Path:
    options = Options(spans=spans, names=names)
    export = make_export(by=video.created_by, video_id=video.pk, format_name=format_name, options=options)
    run_export(export.pk)
    return export_path(export.pk)


@pytest.mark.parametrize(("format_name", "names"), CASES)
@pytest.mark.parametrize("digits", [5, 6])
def test_masks_of_some_frames_come_in_at_the_same_frames(
    project: Project, owner: User, format_name: str, names: Names | None, digits: int
) -> None:
    video = from_pictures(project, owner, "Coral reef", digits)
    before = {index: labels(index) for index in range(COUNT)}
    add_round(video, before)
    path = part_of(video, format_name, names, [[2, 3]])
    after = {index: np.zeros_like(mask) for index, mask in before.items()}
    add_round(video, after)
    made = imported(path, project, owner, f"reef.{format_name}.zip", video_id=video.pk)
    assert (made.state, made.error) == (MaskImportState.DONE, "")
    there = masks_at_head(video)
    assert [frame for frame, mask in there.items() if mask.any()] == [2, 3]
    np.testing.assert_array_equal(there[2] > 0, before[2] > 0)
    np.testing.assert_array_equal(there[3] > 0, before[3] > 0)


def test_a_partial_cvat_file_leaves_other_frames_as_they_are(project: Project, owner: User) -> None:
    video = from_pictures(project, owner, "Coral reef", 5)
    masks = {index: labels(index) for index in range(COUNT)}
    add_round(video, masks)
    imported(part_of(video, "cvat", None, [[2, 3]]), project, owner, "x.zip", video_id=video.pk)
    there = masks_at_head(video)
    for index, mask in masks.items():
        np.testing.assert_array_equal(there[index] > 0, mask > 0)


@pytest.mark.parametrize("manifest", ["[]", "{", "{}", '{"program": "Other", "options": {"names": "number"}}'])
def test_the_manifest_of_another_program_says_nothing(
    project: Project, owner: User, tmp_path: Path, manifest: str
) -> None:
    video = from_pictures(project, owner, "Coral reef", 5)
    add_round(video, {index: labels(index) for index in range(COUNT)})
    path = part_of(video, "davis", "source", [[2, 2]])
    copy = tmp_path / "copy.zip"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            new.writestr(name, manifest if name == "manifest.json" else old.read(name))
    add_round(video, {index: np.zeros((160, 240), np.uint8) for index in range(COUNT)})
    imported(copy, project, owner, "x.zip", video_id=video.pk)
    assert [frame for frame, mask in masks_at_head(video).items() if mask.any()] == [2]


def test_a_reader_that_decodes_many_files_tells_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Files:
        names = ["a"]

        def read(self, name: str) -> bytes:
            return name.encode()

    class Connection:
        sent: list[Any] = []

        def send(self, message: Any) -> None:
            self.sent.append(message)

    clock = [100.0]
    monkeypatch.setattr(reading.time, "monotonic", lambda: clock[0])
    connection = Connection()
    files = reading._Telling(Files(), connection)  # type: ignore[arg-type]
    for _ in range(30):
        assert files.read("a") == b"a"
        clock[0] += 0.25
    assert len(connection.sent) == 7


def test_messages_between_are_no_answer(
    project: Project, owner: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Process:
        messages = [reading._Progress(None), reading.FoundFile("mots", [])]

        def send(self, message: Any) -> None: ...

        def receive(self) -> Any:
            return self.messages.pop(0)

    beats: list[int | None] = []
    monkeypatch.setattr(reading, "reading", lambda *_: nullcontext(Process()))
    with reading.read_masks(tmp_path, "x.zip", beats.append) as reader:  # type: ignore[arg-type]
        assert reader.found.format == "mots"
    assert beats == [None]


@pytest.mark.parametrize("state", [MaskImportState.QUEUED, MaskImportState.RUNNING, MaskImportState.ASKING])
def test_an_import_that_has_not_ended_keeps_its_old_upload(
    state: MaskImportState, project: Project, owner: User, tmp_path: Path
) -> None:
    """It may wait for days, for example while imports are paused."""
    twin = make_video(project, owner, name="Twin")
    Object.objects.filter(video=twin).delete()
    made = imported(coco_file(tmp_path / "a.json"), project, owner)
    MaskImport.objects.filter(pk=made.pk).update(state=state)
    Upload.objects.update(touched_at=timezone.now() - 2 * ABANDONED_AFTER)
    sweep_imports()
    made.refresh_from_db()
    assert made.upload is not None
    assert upload_path(made.upload.pk).exists()


def test_an_import_that_nobody_answers_is_cancelled_after_a_week(
    project: Project, owner: User, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    twin = make_video(project, owner, name="Twin")
    Object.objects.filter(video=twin).delete()
    made = imported(coco_file(tmp_path / "a.json"), project, owner)
    assert made.state == MaskImportState.ASKING
    Upload.objects.update(touched_at=timezone.now() - 2 * ABANDONED_AFTER)
    sweep_imports()
    sweep_mask_imports()
    made.refresh_from_db()
    assert made.state == MaskImportState.ASKING
    assert made.upload is not None
    file = upload_path(made.upload.pk)
    assert file.exists()
    MaskImport.objects.update(created_at=timezone.now() - FORGOTTEN_AFTER - timedelta(minutes=1))
    with django_capture_on_commit_callbacks(execute=True):
        sweep_mask_imports()
    made.refresh_from_db()
    assert (made.state, Upload.objects.count()) == (MaskImportState.CANCELLED, 0)
    assert not file.exists()
