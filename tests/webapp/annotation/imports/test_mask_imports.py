"""Tests of imports of masks: which video and object gets which masks, labels, ground truth, and what is refused."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from tests.webapp.annotation.export.test_jobs import COUNT, add_round, exported, labels
from tests.webapp.annotation.imports.conftest import MASKS
from tests.webapp.conftest import lose_worker
from tests.webapp.videos.archives import write_zip
from tests.webapp.videos.clips import stored_truth
from webapp.accounts.models import User
from webapp.annotation.export.files import export_path
from webapp.annotation.export.jobs import make_project_export, run_export
from webapp.annotation.head import head_of
from webapp.annotation.imports import jobs
from webapp.annotation.imports.jobs import answer_labels, make_import, remove_import, run_mask_import
from webapp.annotation.imports.lease import MASK_IMPORTS
from webapp.annotation.masks import masks_of
from webapp.annotation.models import (
    AcceptedFrame,
    Head,
    Mask,
    MaskImport,
    MaskImportState,
    Object,
    Origin,
    Round,
    RoundScore,
)
from webapp.annotation.undo import move_head
from webapp.audit.models import AuditEntry
from webapp.problems import Forbidden, Problem
from webapp.projects.models import Project
from webapp.videos.models import Upload, Video
from webapp.videos.storage import folder_of
from webapp.videos.upload_files import upload_path

JSON = "application/json"
ClientAs = Callable[[User | None], Client]


def uploaded(path: Path, project: Project, by: User, name: str = "") -> Upload:
    size = path.stat().st_size
    upload = Upload.objects.create(project=project, name=name or path.name, size=size, received=size, created_by=by)
    shutil.copy(path, upload_path(upload.pk))
    return upload


def imported(path: Path, project: Project, by: User, name: str = "", **options: Any) -> MaskImport:
    upload = uploaded(path, project, by, name)
    made = make_import(by=by, project_id=project.pk, upload_id=upload.pk, **options)
    run_mask_import(made.pk)
    made.refresh_from_db()
    return made


def masks_at_head(video: Video) -> dict[int, np.ndarray]:
    return {mask.frame: mask.labels for mask in masks_of(video.pk, head_of(video.pk))}


@pytest.mark.parametrize(
    "format_name",
    [
        *("davis", "objects", "youtube-vos", "youtube-vis", "coco", "mots", "cvat", "npz"),
        *("cvat-images", "datumaro", "labelme", "label-studio", "voc", "cityscapes"),
    ],
)
def test_what_is_exported_comes_in_again_as_the_same_masks(video: Video, twin: Video, format_name: str) -> None:
    path = exported(video, format_name)
    made = imported(path, video.project, video.created_by, f"reef.{format_name}.zip", video_id=twin.pk)
    assert (made.state, made.error, made.note) == (MaskImportState.DONE, "", "")
    there = list(Object.objects.filter(video=twin).select_related("label").order_by("number"))
    assert [each.label.name if each.label else "" for each in there] == ["Fish", "", "Fish"]
    table = np.zeros(256, np.uint8)
    table[[1, 2, 254]] = [each.number for each in there]
    shown = {frame: mask.copy() for frame, mask in MASKS.items()}
    shown[1][shown[1] == 2] = 0  # The second object is absent in the frames 1 and 2.
    read = masks_at_head(twin)
    for frame, mask in shown.items():
        np.testing.assert_array_equal(read[frame], table[mask])
    version = Round.objects.get(video=twin)
    assert (version.origin, version.source, version.state) == (Origin.IMPORTED, f"reef.{format_name}.zip", "done")
    assert made.result == [{"video": twin.pk, "name": "Twin", "round": version.pk, "frames": len(read), "objects": 3}]
    if format_name in ("davis", "objects", "npz", "voc"):
        assert [(each.name, each.absent) for each in there] == [("Fish", []), ("Crab / left", [[1, 2]]), ("Eel", [])]
        assert there[1].color == "#0a0b0c"
        assert sorted(read) == sorted(MASKS)


def test_an_imported_version_is_undone_and_redone(video: Video, twin: Video, owner: User) -> None:
    made = imported(exported(video, "davis"), video.project, owner, video_id=twin.pk)
    head = head_of(twin.pk)
    assert head is not None
    move_head(video=twin, by=owner, from_round=head, to_round=None)
    assert masks_at_head(twin) == {}
    move_head(video=twin, by=owner, from_round=None, to_round=head)
    assert len(masks_at_head(twin)) == len(MASKS)
    assert AuditEntry.objects.get(action="masks.import").details == {"file": made.name}


def test_masks_that_come_back_go_to_the_objects_of_the_video(video: Video, owner: User) -> None:
    """Masks that come back into the video from which they were exported go to its objects; no object is added."""
    path = exported(video, "coco")
    add_round(video, {0: np.zeros((160, 240), np.uint8)}, base=Round.objects.get(video=video))
    made = imported(path, video.project, owner, "masks.zip", video_id=video.pk)
    assert made.state == MaskImportState.DONE, made.error
    assert Object.objects.filter(video=video).count() == 3
    np.testing.assert_array_equal(masks_at_head(video)[0], MASKS[0])


def test_other_objects_keep_their_pixels_and_accepted_frames_their_masks(
    video: Video, owner: User, tmp_path: Path
) -> None:
    Head.objects.filter(video=video).update(next_object_number=3)
    Object.objects.filter(video=video, number=2).update(locked=True)
    square = np.zeros((160, 240), np.uint8)
    square[:40, :40] = 1
    accepted = Mask.objects.get(round__video=video, frame=1)
    AcceptedFrame.objects.create(video=video, frame=1, mask=accepted, author=owner)
    path = masks_zip(tmp_path / "x.zip", {f"Annotations/x/{frame:05}.png": square for frame in (0, 1)})
    made = imported(path, video.project, owner, video_id=video.pk)
    assert (made.error, made.note) == ("", "1 accepted frame keeps its mask.")
    expected = MASKS[0].copy()
    expected[(square == 1) & (expected != 2)] = 3
    read = masks_at_head(video)
    np.testing.assert_array_equal(read[0], expected)
    np.testing.assert_array_equal(read[1], MASKS[1])
    assert Mask.objects.get(round__video=video, round__origin=Origin.IMPORTED).confidence[2] == 1


def test_a_locked_object_is_not_imported(video: Video, owner: User) -> None:
    path = exported(video, "npz")
    Object.objects.filter(video=video, number=2).update(locked=True)
    made = imported(path, video.project, owner, video_id=video.pk)
    assert "Crab / left of Coral reef is locked" in made.error


def masks_zip(path: Path, masks: dict[str, np.ndarray], **more: bytes) -> Path:
    def png(mask: np.ndarray) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(mask).save(buffer, "PNG")
        return buffer.getvalue()

    return write_zip(path, [*((name, png(mask)) for name, mask in masks.items()), *more.items()])


# --- several videos ---------------------------------------------------------------------------------------------------


def test_videos_of_a_project_are_found_by_their_names(video: Video, twin: Video, owner: User) -> None:
    add_round(twin, {0: labels(50)})
    export = make_project_export(by=owner, project_id=video.project_id, format_name="youtube-vos")
    run_export(export.pk)
    Video.objects.filter(pk=twin.pk).update(name="Renamed")
    before = Round.objects.count()
    made = imported(export_path(export.pk), video.project, owner, "all.zip", other_labels="drop")
    assert (made.state, made.error) == (MaskImportState.DONE, "")
    assert made.note == "Masks of Twin were left out: no video here has that name."
    assert [row["name"] for row in made.result] == ["Coral reef"]
    assert Round.objects.count() == before + 1


def test_nothing_is_brought_in_if_one_video_of_the_file_cannot_be(
    video: Video, twin: Video, owner: User, tmp_path: Path
) -> None:
    rounds, objects = Round.objects.count(), Object.objects.count()
    path = masks_zip(
        tmp_path / "x.zip",
        {"Annotations/Coral reef/0.png": labels(0), "Annotations/Twin/0.png": labels(0)[:100]},
    )
    made = imported(path, video.project, owner)
    assert made.state == MaskImportState.FAILED
    assert "240 x 100 pixels, the video Twin has 240 x 160" in made.error
    assert (Round.objects.count(), Object.objects.count()) == (rounds, objects)


@pytest.mark.parametrize(
    ("masks", "text"),
    [
        ({"Annotations/Nemo/0.png": labels(0)}, "masks of Nemo, and no video"),
        ({"Annotations/Twin/9.png": labels(0)}, "has 6 frames and none for '9'"),
        ({"Annotations/Twin/x.png": labels(0)}, "no number"),
        ({"Annotations/Twin/1.png": labels(0), "Annotations/Twin/a1.png": labels(0)}, "two masks for the frame"),
    ],
)
def test_masks_that_belong_to_nothing_are_refused(
    twin: Video, owner: User, tmp_path: Path, masks: dict[str, np.ndarray], text: str
) -> None:
    made = imported(masks_zip(tmp_path / "x.zip", masks), twin.project, owner)
    assert made.state == MaskImportState.FAILED
    assert text in made.error


def test_numbers_from_one_on_are_frames_if_the_last_is_the_number_of_frames(
    twin: Video, owner: User, tmp_path: Path
) -> None:
    path = masks_zip(tmp_path / "x.zip", {f"Annotations/Twin/{n}.png": labels(n) for n in range(1, COUNT + 1)})
    imported(path, twin.project, owner)
    assert sorted(masks_at_head(twin)) == list(range(COUNT))


def test_a_refusal_keeps_the_name_of_the_file_and_says_how_to_save_arrays(
    twin: Video, owner: User, tmp_path: Path
) -> None:
    np.savez(tmp_path / "twin.npz", masks=np.zeros((COUNT, 160, 240), np.uint8))
    made = imported(tmp_path / "twin.npz", twin.project, owner)
    assert made.error.startswith("masks.npy: expected a label map [height, width], got uint8 [6, 160, 240]. Save an")


@pytest.mark.parametrize("data", [b"", b"{", b'{"images": [], "annotations": [1]}', b"PK\x03\x04 broken", b"\x00" * 99])
def test_a_damaged_file_is_refused_with_a_sentence(twin: Video, owner: User, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.json").write_bytes(data)
    made = imported(tmp_path / "a.json", twin.project, owner)
    assert made.state == MaskImportState.FAILED
    assert made.error.endswith(".")
    assert "fault of the program" not in made.error


def test_a_file_that_needs_more_memory_than_the_limit_is_refused(
    twin: Video, owner: User, tmp_path: Path, settings: Any
) -> None:
    values = {**settings.CONFIG.values, "MASKWRIGHT_MASK_IMPORT_MEMORY_MB": 160}
    settings.CONFIG = dataclasses.replace(settings.CONFIG, values=values)
    (tmp_path / "a.json").write_bytes(b'{"images": [' + b"{}," * 3_000_000 + b"{}]}")
    made = imported(tmp_path / "a.json", twin.project, owner)
    assert made.state == MaskImportState.FAILED
    assert "more than 160 MB of memory" in made.error


# --- labels -----------------------------------------------------------------------------------------------------------


def coco_file(path: Path, name: str = "shark") -> Path:
    polygon = [[10, 10, 90, 10, 90, 60, 10, 60]]
    data = {
        "images": [{"id": 1, "file_name": "Twin/00000.jpg", "width": 240, "height": 160}],
        "categories": [{"id": 4, "name": name}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 4, "segmentation": polygon}],
    }
    path.write_text(json.dumps(data))
    return path


def test_labels_that_the_project_lacks_are_asked_for_once(
    twin: Video, manager: User, tmp_path: Path, client_as: ClientAs
) -> None:
    made = imported(coco_file(tmp_path / "a.json"), twin.project, manager)
    client, address = client_as(manager), f"/api/mask-imports/{made.pk}"
    asking = client.get(address).json()
    assert (asking["state"], asking["unknown_labels"], asking["format"]) == ("asking", ["shark"], "coco")
    assert not Round.objects.filter(video=twin).exists()
    answer = client.post(f"{address}/labels", {"labels": {"shark": "Big fish"}}, content_type=JSON)
    assert (answer.status_code, answer.json()["state"]) == (200, "queued")
    run_mask_import(made.pk)
    assert client.get(address).json()["state"] == "done"
    (instance,) = Object.objects.filter(video=twin).select_related("label")
    assert instance.label is not None
    assert (instance.label.name, instance.name) == ("Big fish", "Big fish 1")
    assert client.post(f"{address}/labels", {}, content_type=JSON).status_code == 409


def test_only_a_manager_makes_labels(twin: Video, annotator: User, tmp_path: Path) -> None:
    with pytest.raises(Forbidden, match="Only a manager"):
        imported(coco_file(tmp_path / "a.json"), twin.project, annotator, other_labels="make")
    made = imported(coco_file(tmp_path / "b.json"), twin.project, annotator)
    with pytest.raises(Forbidden, match="Only a manager"):
        answer_labels(by=annotator, import_id=made.pk, labels={"shark": "New"}, other_labels="ask")
    answer_labels(by=annotator, import_id=made.pk, labels={}, other_labels="drop")
    run_mask_import(made.pk)
    assert Object.objects.get(video=twin).label is None


# --- ground truth -----------------------------------------------------------------------------------------------------


def test_masks_become_ground_truth_in_place_of_what_was_there(video: Video, twin: Video, reviewer: User) -> None:
    RoundScore.objects.create(round=Round.objects.get(), j=0.5, f=0.5, objects_scored=[], frames={})
    for target in (twin, twin, video):  # The second time, it replaces ground truth.
        path = exported(video, "mots")
        made = imported(path, video.project, reviewer, "mots.zip", video_id=target.pk, ground_truth=True)
        assert (made.state, made.error) == (MaskImportState.DONE, "")
        target.refresh_from_db()
        assert (target.truth_frames, target.truth_objects) == (sorted(MASKS), 254)
        np.testing.assert_array_equal(stored_truth(target, 3), MASKS[3])
        folders = {path.name for path in folder_of(target.pk).root.iterdir() if path.is_dir()}
        assert folders == {"frames", "thumbs", "truth"}
    assert not RoundScore.objects.exists()
    assert not Object.objects.filter(video=twin).exists()


def test_ground_truth_stays_if_its_import_cannot_be_stored(
    video: Video, twin: Video, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported(exported(video, "mots"), video.project, reviewer, video_id=twin.pk, ground_truth=True)

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(jobs, "record", fail)
    add_round(video, {0: labels(77)}, base=Round.objects.get())
    made = imported(exported(video, "mots"), video.project, reviewer, video_id=twin.pk, ground_truth=True)
    assert made.state == MaskImportState.FAILED
    np.testing.assert_array_equal(stored_truth(twin, 0), MASKS[0])


# --- the worker -------------------------------------------------------------------------------------------------------


def test_a_cancelled_import_leaves_nothing(
    video: Video, twin: Video, owner: User, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "BEAT_SECONDS", 0)
    real = jobs._Run._beat

    def cancel(self: Any, done: int | None = None) -> None:
        if done == 2:
            remove_import(by=owner, import_id=self.row.pk)
        real(self, done)

    monkeypatch.setattr(jobs._Run, "_beat", cancel)
    made = imported(exported(video, "davis"), video.project, owner, video_id=twin.pk)
    assert made.state == MaskImportState.CANCELLED
    assert not Round.objects.filter(video=twin).exists()
    assert list((home / "mask-imports").iterdir()) == []
    remove_import(by=owner, import_id=made.pk)
    assert not MaskImport.objects.exists()


def test_masks_are_computed_again_if_the_video_changes_meanwhile(
    video: Video, twin: Video, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen = jobs.compute, []

    def change(*arguments: Any) -> Any:
        placed = real(*arguments)
        seen.append(placed)
        if len(seen) == 1:
            Object.objects.create(video=twin, number=1, name="Crab", color="#000000", created_by=owner)
            add_round(twin, {0: labels(1)})
            Head.objects.filter(video=twin).update(next_object_number=252)
        return placed

    monkeypatch.setattr(jobs, "compute", change)
    made = imported(exported(video, "davis"), video.project, owner, video_id=twin.pk)
    assert (made.state, len(seen)) == (MaskImportState.DONE, 2)
    assert sorted(Object.objects.filter(video=twin).values_list("number", flat=True)) == [1, 252, 253, 254]


def test_an_import_whose_worker_is_lost_is_tried_again_and_then_fails(twin: Video, owner: User, tmp_path: Path) -> None:
    upload = uploaded(coco_file(tmp_path / "a.json"), twin.project, owner)
    made = make_import(by=owner, project_id=twin.project_id, upload_id=upload.pk)
    for attempt in range(1, MASK_IMPORTS.limits.max_attempts + 1):
        claimed = MASK_IMPORTS.claim(made.pk)
        assert claimed is not None
        expected = "queued" if attempt < MASK_IMPORTS.limits.max_attempts else "failed"
        assert lose_worker(MASK_IMPORTS, claimed) == expected
    made.refresh_from_db()
    assert "stopped 3 times" in made.error


def test_an_upload_is_used_once_and_only_when_it_is_complete(twin: Video, owner: User, tmp_path: Path) -> None:
    upload = uploaded(coco_file(tmp_path / "a.json"), twin.project, owner)
    make_import(by=owner, project_id=twin.project_id, upload_id=upload.pk)
    with pytest.raises(Problem, match="used already"):
        make_import(by=owner, project_id=twin.project_id, upload_id=upload.pk)
    half = Upload.objects.create(project=twin.project, name="x", size=10, received=5, created_by=owner)
    with pytest.raises(Problem, match="5 of 10 bytes"):
        make_import(by=owner, project_id=twin.project_id, upload_id=half.pk)
