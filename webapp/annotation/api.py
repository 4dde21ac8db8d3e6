"""REST calls of annotation: the state of a video, its scores, and the masks of a round."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from webapp.annotation.masks import container
from webapp.annotation.models import Round
from webapp.annotation.schemas import RoundScores, State
from webapp.annotation.scores import scores_of
from webapp.annotation.state import state_of
from webapp.problems import NotFound, Problem
from webapp.projects.access import require
from webapp.projects.models import Role
from webapp.rest import ErrorAnswer, binary_answer
from webapp.videos.access import role_for, video_for

router = Router(tags=["annotation"])

MOST_FRAMES = 500  # The most frames in one answer, which has about a megabyte at 480p.


@router.get("/videos/{int:video_id}/state", response={200: State, 404: ErrorAnswer})
def get_state(request: HttpRequest, video_id: int) -> State:
    """Return everything about a video except its masks: objects, rounds, waiting scribbles, accepted frames."""
    video = video_for(request.user, video_id)
    return state_of(video, require(request.user, video.project_id, what="video"))


@router.get("/videos/{int:video_id}/scores", response={200: list[RoundScores], (403, 404): ErrorAnswer})
def get_scores(request: HttpRequest, video_id: int) -> list[RoundScores]:
    """Return J and F of every round of the video that was compared with ground truth."""
    role_for(request.user, video_id, Role.REVIEWER)
    return scores_of(video_id)


@router.get(
    "/rounds/{int:round_id}/masks",
    response={(404, 422): ErrorAnswer},
    openapi_extra=binary_answer("application/octet-stream"),
)
def get_masks(request: HttpRequest, round_id: int, first: int = 0, last: int = MOST_FRAMES - 1) -> HttpResponse:
    """Return the masks that this round itself stored for the frames from `first` to `last`, as one container.

    docs/contracts.md describes the container.
    """
    round_ = Round.objects.filter(pk=round_id).first()
    if round_ is None:
        raise NotFound("round")
    try:
        role_for(request.user, round_.video_id)
    except NotFound:
        raise NotFound("round") from None  # Somebody who is not a member does not learn that the round exists.
    if not 0 <= first <= last < first + MOST_FRAMES:
        raise Problem("bad_range", f"Ask for 1 to {MOST_FRAMES} frames at a time.", 422)
    answer = HttpResponse(container(round_id, first, last), content_type="application/octet-stream")
    # Masks of a round that has ended never change. `ended` was read before the masks, so none can be missing.
    answer["Cache-Control"] = "private, max-age=31536000, immutable" if round_.ended else "private, no-store"
    return answer
