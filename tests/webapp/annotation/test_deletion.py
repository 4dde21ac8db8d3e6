"""Tests that a video is deleted with its rounds and masks, and that those of another video stay."""

from __future__ import annotations

from tests.webapp.annotation.test_accepted_objects import accept as accept_object
from tests.webapp.annotation.test_undo import done
from tests.webapp.conftest import accept, draw, make_video, run
from webapp.accounts.models import User
from webapp.annotation.models import AcceptedFrame, AcceptedObject, Change, Export, Head, Mask, Object, Round, Scribble
from webapp.annotation.objects import add_object
from webapp.videos.models import Video


def test_a_video_with_rounds_and_accepted_frames_can_be_deleted(video: Video, owner: User) -> None:
    other = make_video(video.project, owner)
    add_object(video=other, author=owner)
    kept = done(other, owner, None, [0])
    first = done(video, owner, None, [0, 1])
    accept(video, owner, 1)
    accept_object(video, owner, 0, 0)
    run(video, owner, first.pk, frame=2)
    draw(video, owner, frame=3)
    Export.objects.create(video=video, round=first, format="davis", author=owner)
    video.delete()
    for table in (Object, Scribble, Round, Head, AcceptedFrame, Change, Export):
        assert not table.objects.exclude(video=other).exists(), table
    assert not AcceptedObject.objects.exists()
    assert [mask.round_id for mask in Mask.objects.all()] == [kept.pk]
