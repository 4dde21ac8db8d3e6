"""Tests of who may import masks, of who sees an import, and of imports whose video is no longer there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from tests.webapp.annotation.export.test_jobs import exported
from tests.webapp.annotation.imports.test_mask_imports import coco_file, imported, uploaded
from webapp.accounts.models import User
from webapp.annotation.imports.jobs import make_import, run_mask_import
from webapp.annotation.models import MaskImport, MaskImportState, Round
from webapp.problems import Forbidden
from webapp.projects.models import Project, Sees
from webapp.videos.models import Video

ClientAs = Callable[[User | None], Client]


def test_who_sees_only_their_jobs_imports_nothing(twin: Video, annotator: User, tmp_path: Path) -> None:
    Project.objects.update(sees=Sees.JOBS)
    with pytest.raises(Forbidden, match="A reviewer can import"):
        imported(coco_file(tmp_path / "a.json"), twin.project, annotator)


def test_imports_are_seen_by_those_who_may_know_of_them(
    client_as: ClientAs, video: Video, reviewer: User, annotator: User, viewer: User
) -> None:
    common = {"project": video.project, "name": "masks.zip"}
    truth = MaskImport.objects.create(**common, ground_truth=True, author=reviewer)
    others = MaskImport.objects.create(**common, author=reviewer)
    own = MaskImport.objects.create(**common, author=annotator)
    address = f"/api/projects/{video.project_id}/mask-imports"

    def seen(user: User) -> set[int]:
        listed = {row["id"] for row in client_as(user).get(address).json()}
        one_by_one = [client_as(user).get(f"/api/mask-imports/{each.pk}").status_code for each in (truth, others, own)]
        assert [each.pk in listed for each in (truth, others, own)] == [status == 200 for status in one_by_one]
        return listed

    assert seen(reviewer) == {truth.pk, others.pk, own.pk}
    assert seen(annotator) == seen(viewer) == {others.pk, own.pk}
    Project.objects.update(sees=Sees.JOBS)
    assert seen(annotator) == {own.pk}
    assert seen(reviewer) == {truth.pk, others.pk, own.pk}


@pytest.mark.parametrize("change", ["moved", "deleted"])
def test_a_video_that_was_moved_or_deleted_meanwhile_gets_no_masks(
    video: Video, twin: Video, stranger: User, change: str
) -> None:
    upload = uploaded(exported(video, "mots"), video.project, video.created_by, "mots.zip")
    made = make_import(by=video.created_by, project_id=video.project_id, upload_id=upload.pk, video_id=twin.pk)
    elsewhere = {"project": Project.objects.get(name="Elsewhere")}
    Video.objects.filter(pk=twin.pk).update(**elsewhere if change == "moved" else {"deleted_at": timezone.now()})
    run_mask_import(made.pk)
    made.refresh_from_db()
    assert made.state == MaskImportState.FAILED
    assert "deleted or moved meanwhile" in made.error
    assert not Round.objects.filter(video=twin).exists()
