"""Tests of webapp/operation/stored.py: which damage it finds in a site's files and rows, and what it repairs."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from unittest import mock
from uuid import uuid4

import pytest
from django.core.management import call_command

from tests.webapp.operation.conftest import Site
from webapp.annotation.accepted import accept_frames
from webapp.annotation.accepted_objects import accept_object
from webapp.annotation.export.files import export_path
from webapp.annotation.models import AcceptedObject, Export, ExportState, Mask, Object
from webapp.operation import stored
from webapp.operation.stored import Damage, check_site
from webapp.videos.belonging import last_number, raise_number
from webapp.videos.models import FrameHashes, Video
from webapp.videos.storage import folder_of, read_file, videos_root


def found(*, repair: bool = False, deep: bool = False) -> list[Damage]:
    return list(check_site(repair=repair, deep=deep))


def test_a_sound_site_has_no_damage(site: Site) -> None:
    assert found(deep=True) == []


def lose_frame(site: Site) -> None:
    folder_of(site.video.pk).frame(3).unlink()


def empty_frame(site: Site) -> None:
    folder_of(site.video.pk).frame(3).write_bytes(b"")


def break_frame(site: Site) -> None:
    path = folder_of(site.video.pk).frame(3)
    path.write_bytes(path.read_bytes()[:100])


def change_frame(site: Site) -> None:
    """Replace the picture of frame 3 by that of another frame."""
    files = folder_of(site.video.pk)
    files.frame(3).write_bytes(files.frame(2).read_bytes())


def lose_hashes(site: Site) -> None:
    FrameHashes.objects.all().delete()


def lose_thumb(site: Site) -> None:
    folder_of(site.video.pk).thumb(3).unlink()


def break_truth(site: Site) -> None:
    folder_of(site.video.pk).truth(3).write_bytes(b"no picture")


def break_mask(site: Site) -> None:
    Mask.objects.filter(frame=3).update(data=b"\x07")


def swap_mask(site: Site) -> None:
    """Replace the mask of frame 3 by a mask of another size than the video."""
    from numpy import uint8, zeros

    from webapp.annotation.codec import encode

    Mask.objects.filter(frame=3).update(data=encode(zeros((5, 7), uint8)))


def add_folder(site: Site) -> None:
    raise_number(Video, 987)
    (videos_root() / "987" / "frames").mkdir(parents=True)


def add_upload_folder(site: Site) -> None:
    (site.home / "uploads" / str(uuid4())).mkdir(parents=True)


def lose_export(site: Site) -> None:
    export_path(site.export.pk).unlink()


@pytest.mark.parametrize(
    ("damage", "sentence", "mended"),
    [
        (lose_frame, "picture of frame 3 is gone", False),
        (empty_frame, "picture of frame 3 is gone", False),
        (break_frame, "picture of frame 3 cannot be used", False),
        (change_frame, "frame 3 cannot be used: it has changed since its import", False),
        (lose_hashes, "noted no hashes of its frames", True),
        (lose_thumb, "small picture of frame 3 is gone", True),
        (break_truth, "ground truth of frame 3 cannot be read", False),
        (break_mask, "mask of frame 3 in round 1 cannot be used", True),
        (swap_mask, "it has 7x5 pixels", True),
        (add_folder, "No video has it", True),
        (add_upload_folder, "No upload has it", True),
        (lose_export, "file is gone or cut off", True),
    ],
)
def test_damage_is_found_and_mended_where_it_can_be(
    site: Site, damage: Callable[[Site], None], sentence: str, mended: bool
) -> None:
    damage(site)
    (seen,) = found(deep=True)
    assert sentence in seen.text
    assert not seen.repaired
    (after,) = found(deep=True, repair=True)
    assert bool(after.repaired) == mended
    assert len(found(deep=True)) == (0 if mended else 1)


def test_an_accepted_mask_is_never_removed(site: Site) -> None:
    seen = Mask.objects.latest("pk").pk
    accept_frames(
        video=site.video, by=site.round.author, first=3, last=3, head=site.round.pk, seen=seen, may_accept_others=True
    )
    break_mask(site)
    (damage,) = found(repair=True)
    assert "release the frame" in damage.repaired
    assert Mask.objects.filter(frame=3).exists()


def test_a_damaged_mask_in_which_an_object_is_accepted_is_removed_with_the_acceptance(site: Site) -> None:
    instance = Object.objects.filter(video=site.video).earliest("number")
    accept_object(
        video=site.video,
        by=site.round.author,
        number=instance.number,
        first=3,
        last=3,
        head=site.round.pk,
        seen=Mask.objects.latest("pk").pk,
        may_accept_others=True,
    )
    break_mask(site)
    (damage,) = found(repair=True)
    assert f"{instance.name} had been accepted in it, which was released" in damage.repaired
    assert not AcceptedObject.objects.exists()
    assert not Mask.objects.filter(frame=3).exists()


def test_folders_are_kept_if_the_database_has_no_videos_at_all(site: Site) -> None:
    folder = folder_of(site.video.pk).root
    frames = len(list(folder.rglob("*.jpg")))
    with mock.patch("webapp.videos.cleanup.storage"):  # The row goes, and its files stay.
        site.video.delete()
    (damage,) = found(repair=True)
    assert "Is it the right one (DATABASE_URL)?" in damage.text
    assert not damage.repaired
    assert len(list(folder.rglob("*.jpg"))) == frames > 0


def test_folders_are_kept_if_the_database_is_an_older_copy(site: Site) -> None:
    newer = last_number(Video) + 5
    add_upload_folder(site)
    (videos_root() / str(newer)).mkdir(parents=True)
    damages = found(repair=True)
    assert damages
    for damage in damages:
        assert f"has not given the number of video {newer} yet" in damage.text
        assert not damage.repaired
    assert (videos_root() / str(newer)).is_dir()


@pytest.mark.parametrize("is_older", [False, True])
def test_a_frame_that_the_disk_cannot_read_is_named_and_the_check_goes_on(site: Site, is_older: bool) -> None:
    if is_older:
        lose_hashes(site)
    lose_thumb(site)
    lose_export(site)
    with mock.patch.object(stored, "read_file", side_effect=unreadable(folder_of(site.video.pk).frame(3).name)):
        texts = [damage.text for damage in found(repair=True, deep=is_older)]
    assert any("frame 3" in text and "Input/output error" in text for text in texts)
    assert any("cut off" in text for text in texts)


def unreadable(ending: str) -> Callable[[str], bytes]:
    """Return a function that reads stored files, and raises OSError for those whose name ends with `ending`."""

    def read(name: str) -> bytes:
        if name.endswith(ending):
            raise OSError(errno.EIO, os.strerror(errno.EIO), name)
        return read_file(name)

    return read


def test_people_are_asked_to_export_again(site: Site) -> None:
    lose_export(site)
    found(repair=True)
    export = Export.objects.get()
    assert export.state == ExportState.FAILED
    assert "Export again" in export.error


def test_the_command_ends_with_1_while_something_is_wrong(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("fsck")
    assert "Nothing is wrong" in capsys.readouterr().out
    lose_frame(site)
    lose_thumb(site)
    with pytest.raises(SystemExit) as ended:
        call_command("fsck", "--repair")
    assert ended.value.code == 1
    assert "1 left" in capsys.readouterr().out
