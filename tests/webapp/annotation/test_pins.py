"""Tests of pins: setting, answering, resolving and reopening them, and what the pages of the video are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from webapp.accounts.models import User
from webapp.annotation.models import Change, Pin
from webapp.annotation.state import state_of
from webapp.notifications.models import Notification
from webapp.projects.models import Membership, Role
from webapp.videos.models import Video

JSON = "application/json"


@pytest.fixture
def pages(client_as: Callable[[User | None], Client], reviewer: User, annotator: User) -> dict[str, Client]:
    return {"reviewer": client_as(reviewer), "annotator": client_as(annotator)}


def post(client: Client, video: Video, **fields: Any) -> Any:
    return client.post(f"/api/videos/{video.pk}/pins", fields, JSON)


def test_a_pin_is_answered_resolved_and_reopened(pages: dict[str, Client], video: Video, reviewer: User) -> None:
    reason = video.project.pin_reasons[0]
    pin = post(pages["reviewer"], video, frame=3, object=1, x=0.5, y=0.25, reason=reason, text="At the tail.").json()
    assert (pin["author"]["id"], pin["resolved_at"], pin["replies"]) == (reviewer.pk, None, [])
    answered = pages["annotator"].post(f"/api/pins/{pin['id']}/replies", {"text": "Like this?"}, JSON).json()
    assert [reply["text"] for reply in answered["replies"]] == ["Like this?"]
    resolved = pages["annotator"].patch(f"/api/pins/{pin['id']}", {"resolved": True}, JSON).json()
    assert resolved["resolved_by"]["name"] == "Annotator"
    again = pages["reviewer"].patch(f"/api/pins/{pin['id']}", {"resolved": False, "text": "Look again."}, JSON).json()
    assert (again["resolved_by"], again["text"], again["reason"]) == (None, "Look again.", reason)
    told = Notification.objects.order_by("pk").values_list("user__username", "text")
    assert list(told) == [
        ("reviewer", "Annotator answered a pin on frame 3 of reef.mp4."),
        ("reviewer", "Annotator resolved a pin on frame 3 of reef.mp4."),
        ("annotator", "Reviewer reopened a pin on frame 3 of reef.mp4."),
    ]
    assert set(Notification.objects.values_list("link", flat=True)) == {f"/videos/{video.pk}#frame=3"}
    messages = [change.message["pin"] for change in Change.objects.filter(message__type="pin.changed")]
    assert (len(messages), messages[-1]) == (4, again)
    assert [pin.model_dump() for pin in state_of(video, Role.VIEWER).pins] == [again]
    assert pages["annotator"].get(f"/api/videos/{video.pk}/pins").json() == [again]


def test_a_pin_that_is_sent_twice_is_one_pin(pages: dict[str, Client], video: Video) -> None:
    key = str(uuid4())
    first = post(pages["reviewer"], video, frame=1, text="Here.", key=key).json()
    assert post(pages["reviewer"], video, frame=1, text="Here.", key=key).json() == first
    answer = {"text": "Yes.", "key": str(uuid4())}
    for _ in range(2):
        answered = pages["annotator"].post(f"/api/pins/{first['id']}/replies", answer, JSON).json()
    assert len(answered["replies"]) == 1


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"frame": 8, "text": "Here."}, 422, "bad_frame"),
        ({"frame": 1, "text": "  "}, 400, "empty_pin"),
        ({"frame": 1, "reason": "Bad luck"}, 400, "unknown_reason"),
        ({"frame": 1, "text": "Here.", "object": 9}, 409, "no_object"),
        ({"frame": 1, "text": "Here.", "x": 0.5}, 400, "bad_place"),
        ({"frame": 1, "text": "Here.", "x": 1.5, "y": 0}, 422, "invalid"),
    ],
)
def test_a_pin_that_says_nothing_or_names_what_is_not_there_is_refused(
    pages: dict[str, Client], video: Video, fields: dict[str, Any], status: int, code: str
) -> None:
    answer = post(pages["reviewer"], video, **fields)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert Pin.objects.count() == 0


def test_only_its_author_changes_the_words_of_a_pin(pages: dict[str, Client], video: Video) -> None:
    pin = post(pages["reviewer"], video, frame=1, text="Here.").json()
    for changed in ({"text": "No."}, {"reason": ""}):
        assert pages["annotator"].patch(f"/api/pins/{pin['id']}", changed, JSON).status_code == 403
    assert pages["reviewer"].patch(f"/api/pins/{pin['id']}", {"text": " "}, JSON).json()["code"] == "empty_pin"
    assert (
        pages["annotator"].post(f"/api/pins/{pin['id']}/replies", {"text": " "}, JSON).json()["code"] == "empty_reply"
    )
    assert Pin.objects.get().text == "Here."


def test_who_left_the_project_is_not_told_of_their_pins(
    pages: dict[str, Client], video: Video, reviewer: User, annotator: User
) -> None:
    pin = post(pages["annotator"], video, frame=3, text="At the tail.").json()
    Membership.objects.filter(user=annotator).delete()
    assert pages["reviewer"].patch(f"/api/pins/{pin['id']}", {"resolved": True}, JSON).status_code == 200
    assert not Notification.objects.exists()
