"""Tests of the files of exports: they contain exactly the masks of the videos, and what their options and notes say."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from django.test import Client
from PIL import Image
from pycocotools.coco import COCO

from segmentation.formats.annotation_files import read_annotations
from segmentation.formats.cvat_video import read_cvat_xml
from segmentation.formats.label_png import decode_labels
from segmentation.formats.matte import soft_matte
from segmentation.formats.mots import decode_mots_png, read_mots_text
from segmentation.formats.youtube_vis import read_youtube_vis
from segmentation.types import LabelMap
from tests.webapp.annotation.export.conftest import MASKS, assert_masks, mask_of
from tests.webapp.annotation.export.test_jobs import COUNT, add_round, brought_in, exported, labels, make_video
from webapp.accounts.models import User
from webapp.annotation.accepted_objects import accept_object
from webapp.annotation.export import mattes
from webapp.annotation.export.files import export_path
from webapp.annotation.export.formats import FORMATS, matte_exr
from webapp.annotation.export.jobs import make_export, run_export
from webapp.annotation.export.options import Matte, Options
from webapp.annotation.export.subject import Subject
from webapp.annotation.head import head_of
from webapp.annotation.models import AcceptedFrame, ExportState, Mask, Object
from webapp.annotation.state import last_mask
from webapp.problems import Problem
from webapp.projects.models import Label, Project
from webapp.videos.archives import ZipFiles
from webapp.videos.models import Video
from webapp.videos.source_table import SourceTable, write_source_table
from webapp.videos.storage import StoredFrames, folder_of

ClientAs = Callable[[User | None], Client]
JSON = "application/json"


@pytest.fixture
def video(project: Project, owner: User) -> Video:
    made = make_video(project, owner)
    add_round(made, MASKS)
    return made


def test_youtube_vis_has_every_mask(video: Video) -> None:
    with zipfile.ZipFile(exported(video, "youtube-vis")) as archive:
        (found,) = read_youtube_vis(json.loads(archive.read("instances.json")))
        assert {f"JPEGImages/{found.name}/{frame}.jpg" for frame in found.frames} < set(archive.namelist())
    assert_masks(found.masks())


def test_coco_opens_in_its_own_reader(video: Video, tmp_path: Path) -> None:
    with zipfile.ZipFile(exported(video, "coco")) as archive:
        archive.extract("instances.json", tmp_path)
    coco = COCO(str(tmp_path / "instances.json"))
    assert len(coco.getImgIds()) == COUNT
    for image in coco.loadImgs(coco.getImgIds()):
        found = np.zeros((160, 240), np.uint8)
        for annotation in coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]])):
            found[coco.annToMask(annotation) > 0] = annotation["track_id"]
        np.testing.assert_array_equal(found, mask_of(image["frame_index"]))


def test_mots_has_every_mask_in_both_forms(video: Video) -> None:
    with zipfile.ZipFile(exported(video, "mots")) as archive:
        text = read_mots_text(archive.read("instances_txt/Coral-reef.txt").decode().splitlines())
        assert text.frames == tuple(f"{frame:06}" for frame in MASKS)
        for (frame, mask), read in zip(MASKS.items(), text.masks(), strict=True):
            np.testing.assert_array_equal(decode_mots_png(archive.read(f"instances/Coral-reef/{frame:06}.png")), mask)
            np.testing.assert_array_equal(read, mask)
        assert archive.read("classes.txt") == b"11 object\n"


def test_cvat_has_every_mask(video: Video) -> None:
    with zipfile.ZipFile(exported(video, "cvat")) as archive:
        (found,) = read_cvat_xml(archive.read("annotations.xml"))
    read = dict(enumerate(found.masks()))
    assert {frame for frame, mask in read.items() if mask is not None} == set(MASKS)
    assert_masks(mask_of(frame) if mask is None else mask for frame, mask in read.items())


def test_numpy_loads_every_mask_as_the_note_says(video: Video) -> None:
    path = exported(video, "npz")
    with np.load(io.BytesIO(path.read_bytes())) as file:
        for frame, mask in MASKS.items():
            np.testing.assert_array_equal(file[f"Coral-reef/{frame:05}"], mask)
        assert json.loads(str(file["Coral-reef/objects"]))["objects"][0]["name"] == "Fish"
        assert len(file.files) == len(MASKS) + 1


@pytest.mark.parametrize("format_name", ["davis", "youtube-vos"])
def test_what_is_exported_comes_in_again(project: Project, owner: User, video: Video, format_name: str) -> None:
    again = brought_in(exported(video, format_name), project, owner)
    assert (again.note, again.frame_count, again.truth_frames) == ("", COUNT, sorted(MASKS))


def test_youtube_vos_names_the_frames_in_which_each_object_is_seen(video: Video) -> None:
    with zipfile.ZipFile(exported(video, "youtube-vos")) as archive:
        (entry,) = json.loads(archive.read("meta.json"))["videos"].values()
        np.testing.assert_array_equal(
            decode_labels(io.BytesIO(archive.read("Annotations/Coral-reef/00003.png"))), mask_of(3)
        )
    assert entry["objects"]["254"] == {"category": "object", "frames": [f"{frame:05}" for frame in sorted(MASKS)]}


def test_frames_have_the_names_of_their_source_files(video: Video) -> None:
    table = SourceTable([f"IMG_{7 * index:04}.png" for index in range(COUNT)], [None] * COUNT)
    write_source_table(folder_of(video.pk), table)
    with zipfile.ZipFile(exported(video, "youtube-vos")) as archive:
        assert "JPEGImages/Coral-reef/IMG_0035.jpg" in archive.namelist()
    with zipfile.ZipFile(exported(video, "davis")) as archive:
        assert json.loads(archive.read("objects.json"))["source_frames"] == table.names


def test_the_manifest_says_what_was_exported(video: Video) -> None:
    owner, at = User.objects.get(username="owner"), head_of(video.pk)
    accept_object(
        video=video, by=owner, number=1, first=0, last=1, head=at, seen=last_mask(video.pk), may_accept_others=True
    )
    with zipfile.ZipFile(exported(video, "davis")) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["program"].startswith("Maskwright ")
    assert (manifest["format"], manifest["exported_by"]) == ("davis", "owner")
    (entry,) = manifest["videos"]
    assert (entry["name"], entry["folder"], entry["frames"]) == ("Coral reef", "Coral-reef", COUNT)
    assert (entry["round"]["number"], entry["round"]["engine"]) == (1, "fake")
    assert (entry["accepted_frames"], entry["accepted_objects"]) == ([], {"1": [[0, 1]]})


@pytest.mark.parametrize("format_name", [name for name, known in FORMATS.items() if "masks =" in known.how_to])
def test_the_snippet_of_every_archive_reads_its_masks(
    video: Video, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_name: str
) -> None:
    found = run_snippet(exported(video, format_name), tmp_path / "out", monkeypatch)
    for frame, mask in MASKS.items():
        name = next(name for name in found["masks"] if int(name) == frame)
        np.testing.assert_array_equal(found["masks"][name], mask)


def test_every_archive_says_how_to_read_it() -> None:
    assert all("```python" in known.how_to for known in FORMATS.values() if known.suffix == "zip")


def run_snippet(path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Unpack an export into a folder, run the snippet of its README there, and return the variables of the snippet."""
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    monkeypatch.chdir(folder)
    found: dict[str, Any] = {}
    exec((folder / "README.md").read_text().partition("```python\n")[2].partition("```")[0], found)
    return found


@pytest.mark.parametrize(
    ("format_name", "key", "step"),
    [
        ("mattes-8", "001-Fish/00000.png", 1 / 255),
        ("mattes-16", "001-Fish/00000.png", 1 / 65535),
        ("mattes-exr", "00000/object_001.A", 1 / 1024),
    ],
)
def test_mattes_are_soft_at_edges_and_the_masks_elsewhere(
    project: Project,
    owner: User,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    format_name: str,
    key: str,
    step: float,
) -> None:
    video = make_video(project, owner)
    Object.objects.filter(video=video).exclude(number=1).delete()
    square = np.zeros((160, 240), np.uint8)
    square[40:120, 60:180] = 1
    add_round(video, {0: square})
    matte = run_snippet(exported(video, format_name), tmp_path / "out", monkeypatch)["mattes"][key]
    np.testing.assert_allclose(matte, soft_matte(StoredFrames(video)[0], square > 0), atol=0.6 * step)
    assert matte[80, 120] == 1
    assert matte[5, 5] == 0


def test_objects_that_a_frame_does_not_show_take_no_memory_in_openexr(video: Video) -> None:
    shown = np.zeros((160, 240), np.uint8)
    shown[40:120, 60:180] = 2
    channels = matte_exr._channels(Subject(video, 1, "reef"), 0, shown)
    assert list(channels) == ["A", "object_001.A", "object_002.A", "object_254.A"]
    assert {values.dtype for values in channels.values()} == {np.dtype(np.float16)}
    assert channels["object_001.A"] is channels["object_254.A"]
    assert not channels["object_001.A"].any()
    assert channels["object_002.A"][80, 120] == channels["A"][80, 120] == 1


@pytest.mark.parametrize(
    ("format_name", "decoder_name"),
    [("prores", "prores"), ("webm", "libvpx-vp9"), ("png-mov", "png"), ("matte-mp4", "h264")],
)
def test_videos_of_mattes_show_only_the_objects(
    project: Project, owner: User, format_name: str, decoder_name: str
) -> None:
    video = make_video(project, owner, (241, 161))
    square = np.zeros((161, 241), np.uint8)
    square[40:120, 60:180] = 2
    add_round(video, {index: square for index in range(COUNT) if index != 4})
    path = exported(video, format_name)
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        assert (stream.width, stream.height) == (242, 162)
        # FFmpeg's own decoder of VP9 leaves alpha out; that of libvpx has it.
        decoder = av.CodecContext.create(decoder_name, "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.extradata = stream.codec_context.extradata
        frames = [frame for packet in file.demux(stream) for frame in decoder.decode(packet)]
    assert len(frames) == COUNT
    if format_name == "matte-mp4":
        alpha = [frame.to_ndarray(format="gray") for frame in frames]
    else:
        alpha = [frame.to_ndarray(format="rgba")[..., 3] for frame in frames]
    for index, plane in enumerate(alpha):
        assert abs(int(plane[80, 120]) - (0 if index == 4 else 255)) < 4
        assert plane[5, 5] < 4


def test_premultiplied_colours_are_those_of_the_frame_times_alpha() -> None:
    picture = np.full((40, 60, 3), 200, np.uint8)
    mask = np.zeros((40, 60), np.uint8)
    mask[10:30, 20:40] = 1
    straight, multiplied = (mattes._with_alpha(Matte(edge=4, premultiplied=on), picture, mask) for on in (False, True))
    np.testing.assert_array_equal(straight[..., :3], picture)
    np.testing.assert_array_equal(straight[..., 3], multiplied[..., 3])
    np.testing.assert_array_equal(multiplied[..., 0], np.rint(200 * (straight[..., 3] / 255)))
    assert np.count_nonzero((straight[..., 3] > 0) & (straight[..., 3] < 255)) > 0
    np.testing.assert_array_equal(mattes._with_alpha(Matte(edge=0), picture, mask)[..., 3], mask * 255)


WITHOUT_READER = {name for name in FORMATS if name.startswith("mattes")} | {"geojson", "svg"}


@pytest.mark.parametrize("format_name", [name for name in FORMATS if name not in WITHOUT_READER])
def test_only_what_the_options_say_is_exported(project: Project, owner: User, format_name: str) -> None:
    video = make_video(project, owner)
    Video.objects.filter(pk=video.pk).update(pixel_aspect=1.5)
    fish = Label.objects.create(project=project, name="Fish", color="#112233", position=1)
    Object.objects.filter(video=video, number=1).update(label=fish)
    made = add_round(video, MASKS)
    for frame in (1, 3, 5):
        mask = Mask.objects.get(round=made, frame=frame)
        AcceptedFrame.objects.create(video=video, frame=frame, mask=mask, author=owner)
    options = Options(spans=[[0, 1], [3, 4]], accepted_only=True, labels=["Fish"], shape="display")
    export = make_export(by=owner, video_id=video.pk, format_name=format_name, options=options)
    run_export(export.pk)
    export.refresh_from_db()
    assert (export.state, export.progress_done, export.progress_total) == (ExportState.DONE, 2, 2), export.error
    if not FORMATS[format_name].of_project:
        with av.open(str(export_path(export.pk))) as file:
            stream = file.streams.video[0]
            assert (stream.width, stream.height) == (360, 160)
            assert sum(1 for _ in file.decode(stream)) == 2
        return
    found = the_masks_in(export_path(export.pk))
    assert {1, 3} <= found.keys()
    for frame, read in found.items():
        expected = (labels(frame) == 1).astype(np.uint8) * (frame in (1, 3))
        wide = Image.fromarray(expected).resize((360, 160), Image.Resampling.NEAREST)
        np.testing.assert_array_equal(read, np.asarray(wide))


def the_masks_in(path: Path) -> dict[int, LabelMap]:
    """Read an export with the readers of `segmentation.formats`, and return its masks by frame."""
    with ZipFiles(path) as files:
        (video,) = read_annotations(files).videos
        return {int(name): mask for name, mask in zip(video.frames, video.masks(), strict=True) if mask is not None}


def test_options_that_no_frame_fits_are_refused(video: Video, owner: User) -> None:
    with pytest.raises(Problem, match="No frame fits"):
        make_export(by=owner, video_id=video.pk, format_name="davis", options=Options(accepted_only=True))


def test_frames_are_named_as_the_options_say(video: Video, client_as: ClientAs, owner: User) -> None:
    table = SourceTable([f"IMG_{7 * index:04}.png" for index in range(COUNT)], [None] * COUNT)
    write_source_table(folder_of(video.pk), table)
    body = {"format": "davis", "options": {"names": "source", "spans": [[1, 1]], "objects": [2]}}
    made = client_as(owner).post(f"/api/videos/{video.pk}/exports", body, content_type=JSON).json()
    run_export(made["id"])
    with zipfile.ZipFile(export_path(made["id"])) as archive:
        assert "Annotations/Full-Resolution/Coral-reef/IMG_0007.png" in archive.namelist()
        manifest = json.loads(archive.read("manifest.json"))
        assert [each["id"] for each in json.loads(archive.read("objects.json"))["objects"]] == [2]
    assert manifest["options"] == body["options"]
    assert manifest["videos"][0]["exported_frames"] == [[1, 1]]
