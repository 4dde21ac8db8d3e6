"""Tests of exports of projects: the masks of each video, splits, and downloads that continue where they broke off."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from django.test import Client

from segmentation.formats.annotation_files import read_annotations
from segmentation.formats.youtube_vis import read_youtube_vis
from tests.webapp.annotation.export.conftest import MASKS, assert_masks
from tests.webapp.annotation.export.test_jobs import COUNT, add_round, labels, make_video
from webapp.accounts.models import User
from webapp.annotation.export import mattes
from webapp.annotation.export.files import export_path, unique_folders
from webapp.annotation.export.formats import FORMATS, matte_exr
from webapp.annotation.export.jobs import make_project_export, run_export
from webapp.annotation.export.options import Options
from webapp.annotation.models import Export, ExportState
from webapp.audit.models import AuditEntry
from webapp.problems import Problem
from webapp.projects.models import Project
from webapp.videos.archives import ZipFiles
from webapp.videos.models import Video

ClientAs = Callable[[User | None], Client]
JSON = "application/json"


@pytest.fixture
def video(project: Project, owner: User) -> Video:
    made = make_video(project, owner)
    add_round(made, MASKS)
    return made


@pytest.fixture
def second(project: Project, owner: User, video: Video) -> Video:
    """Create a second video with a mask and the name of the first, and a third without masks. Return the second."""
    made = make_video(project, owner)
    add_round(made, {0: labels(9)})
    make_video(project, owner, name="No masks")
    return made


def exported_project(project: Project, format_name: str) -> Path:
    export = make_project_export(by=project.created_by, project_id=project.pk, format_name=format_name)
    run_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.error) == (ExportState.DONE, "")
    assert export.progress_done == export.progress_total == 2 * COUNT
    return export_path(export.pk)


@pytest.mark.parametrize("format_name", [name for name, known in FORMATS.items() if known.of_project])
def test_each_format_holds_a_whole_project(
    project: Project, second: Video, format_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (mattes, matte_exr):  # Mattes of noise take long.
        monkeypatch.setattr(module, "soft_matte", lambda picture, mask, reach=None: mask.astype(np.float32))
    with zipfile.ZipFile(exported_project(project, format_name)) as archive:
        names = archive.namelist()
        assert len(names) == len(set(names))
        assert format_name == "npz" or len(json.loads(archive.read("manifest.json"))["videos"]) == 2


SPLIT_FILES = {
    "davis": {"ImageSets/2017/train.txt", "ImageSets/2017/val.txt"},
    "youtube-vis": {"instances_train.json", "instances_val.json"},
    "youtube-vos": {"train/meta.json", "val/Annotations/Coral-reef-2/00000.png"},
    "datumaro": {"annotations/train.json", "images/val/Coral-reef-2/00000.jpg"},
    "voc": {"Coral-reef/ImageSets/Segmentation/train.txt", "Coral-reef-2/ImageSets/Segmentation/val.txt"},
    "cityscapes": {"gtFine/val/Coral-reef-2/Coral-reef-2_000000_000000_gtFine_instanceIds.png"},
    "mots": {"ImageSets/train.txt", "ImageSets/val.txt"},
}


def test_splits_are_written_as_each_format_has_them(
    project: Project, owner: User, client_as: ClientAs, video: Video, second: Video
) -> None:
    client, address = client_as(owner), f"/api/projects/{project.pk}/exports"
    options = {"splits": {"train": [video.pk], "val": [second.pk]}}
    for format_name, expected in SPLIT_FILES.items():
        body = {"format": format_name, "options": options}
        made = client.post(address, body, content_type=JSON).json()
        run_export(made["id"])
        with ZipFiles(export_path(made["id"])) as files:
            assert expected <= set(files.names), format_name
            assert files.read("ImageSets/val.txt") == b"Coral-reef-2\n"
            entries = json.loads(files.read("manifest.json"))["videos"]
            assert [entry["split"] for entry in entries] == ["train", "val"]
            hashes = dict(line.split("  ")[::-1] for line in files.read("SHA256SUMS").decode().splitlines())
            assert hashes == {
                name: sha256(files.read(name)).hexdigest() for name in files.names if name != "SHA256SUMS"
            }
            read = {each.name: next(each.masks()) for each in read_annotations(files).videos}
            np.testing.assert_array_equal(read["Coral-reef-2"], labels(9))
            np.testing.assert_array_equal(read["Coral-reef"], MASKS[0])
    for wrong in ({"train": [video.pk], "val": [video.pk]}, {"../x": [video.pk]}, {"train": [999]}):
        body = {"format": "davis", "options": {"splits": wrong}}
        assert client.post(address, body, content_type=JSON).status_code in (400, 404, 422), wrong


def test_a_share_of_the_videos_is_for_validation() -> None:
    options = Options(val_percent=20)
    found = options.split_of(range(1, 21))
    assert sorted(found.values()) == ["train"] * 16 + ["val"] * 4
    assert found == options.split_of(range(20, 0, -1)), "the order does not matter"
    assert list(options.split_of([7]).values()) == ["val"], "at least one video is for validation"
    assert Options().split_of([7]) == {}


def test_each_video_of_a_project_has_its_own_masks(project: Project, second: Video) -> None:
    with zipfile.ZipFile(exported_project(project, "youtube-vis")) as archive:
        first, other = read_youtube_vis(json.loads(archive.read("instances.json")))
    assert (first.name, other.name) == ("Coral-reef", "Coral-reef-2")
    assert_masks(first.masks())
    read = list(other.masks())
    np.testing.assert_array_equal(read[0], labels(9))
    assert read[1] is not None
    assert not read[1].any()


def test_a_selection_of_videos_is_exported_in_one_file(
    client_as: ClientAs, project: Project, owner: User, video: Video, second: Video
) -> None:
    client, address = client_as(owner), f"/api/projects/{project.pk}/exports"
    made = client.post(address, {"format": "cvat", "videos": [second.pk]}, content_type=JSON).json()
    assert Export.objects.get(pk=made["id"]).rounds == [[second.pk, second.head.round_id]]
    assert client.post(address, {"format": "cvat", "videos": [999]}, content_type=JSON).status_code == 404


def test_the_audit_log_counts_only_the_videos_that_have_frames_in_an_export(
    project: Project, owner: User, video: Video, second: Video
) -> None:
    options = Options(spans_of={str(second.pk): [[COUNT, COUNT]]})  # The video has no such frame.
    made = make_project_export(by=owner, project_id=project.pk, format_name="cvat", options=options)
    assert made.rounds == [[video.pk, video.head.round_id]]
    assert AuditEntry.objects.get(action="export.make").details == {"videos": 1}


def test_davis_lists_the_videos_of_a_project(project: Project, second: Video) -> None:
    with zipfile.ZipFile(exported_project(project, "davis")) as archive:
        assert archive.read("ImageSets/2017/val.txt") == b"Coral-reef\nCoral-reef-2\n"


def test_a_project_export_leaves_out_what_was_deleted_meanwhile(project: Project, video: Video, second: Video) -> None:
    export = make_project_export(by=project.created_by, project_id=project.pk, format_name="cvat")
    second.delete()
    run_export(export.pk)
    with zipfile.ZipFile(export_path(export.pk)) as archive:
        assert archive.namelist() == ["annotations.xml", "manifest.json", "README.md", "SHA256SUMS"]


def test_a_project_without_masks_and_a_format_of_one_video_are_refused(project: Project, owner: User) -> None:
    with pytest.raises(Problem, match="no masks"):
        make_project_export(by=owner, project_id=project.pk, format_name="davis")
    with pytest.raises(Problem, match="one by one"):
        make_project_export(by=owner, project_id=project.pk, format_name="overlay")
    assert not Export.objects.exists()


def test_a_download_continues_where_it_broke(
    client_as: ClientAs, project: Project, owner: User, viewer: User, second: Video
) -> None:
    made = client_as(owner).post(f"/api/projects/{project.pk}/exports", {"format": "mots"}, content_type=JSON).json()
    assert (made["video"], made["video_name"], made["round"]) == (None, "", None)
    run_export(made["id"])
    client = client_as(viewer)
    assert [row["id"] for row in client.get(f"/api/projects/{project.pk}/exports").json()] == [made["id"]]
    address = f"/api/exports/{made['id']}/file"
    whole = client.get(address)
    data = b"".join(whole.streaming_content)  # type: ignore[attr-defined]
    assert 'filename="Reef-mots.zip"' in whole["Content-Disposition"]
    rest = client.get(address, headers={"Range": "bytes=1000-"})
    assert (rest.status_code, rest["Content-Range"]) == (206, f"bytes 1000-{len(data) - 1}/{len(data)}")
    assert b"".join(rest.streaming_content) == data[1000:]  # type: ignore[attr-defined]
    assert rest["ETag"] == whole["ETag"]
    for other in (f"bytes={len(data)}-", "bytes=-5", "bytes=0-5,7-9", "x"):
        assert client.get(address, headers={"Range": other}).status_code == 200


def test_a_stranger_sees_no_export_of_a_project(
    client_as: ClientAs, project: Project, stranger: User, second: Video
) -> None:
    export = make_project_export(by=project.created_by, project_id=project.pk, format_name="mots")
    assert client_as(stranger).get(f"/api/exports/{export.pk}").status_code == 404


def test_folders_of_videos_with_the_same_name_differ() -> None:
    assert unique_folders(["Reef", "reef", "Reef!", "a/b"]) == ["Reef", "reef-2", "Reef-3", "a-b"]
