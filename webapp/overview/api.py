"""REST calls of the overview: the list of a project's videos in pages with their covers, actions on many videos, the
progress of a project, and search over all projects.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Query, Router, Schema
from pydantic import Field

from webapp.accounts.api import signed_in
from webapp.accounts.models import User
from webapp.jobs.models import JobState, Stage
from webapp.jobs.schemas import Priority
from webapp.overview.actions import Action, Values, act_on_many
from webapp.overview.cards import Due, Filter, Order, chosen, page
from webapp.overview.cover import draw_cover
from webapp.overview.progress import Progress, progress_of
from webapp.overview.schemas import (
    CardPage,
    FoundObject,
    FoundProject,
    FoundVideo,
    ProgressInfo,
    SearchAnswer,
    card_page,
)
from webapp.overview.search import search
from webapp.problems import NotFound
from webapp.projects.access import require
from webapp.projects.api import LabelMove
from webapp.rest import ErrorAnswer, Strict, binary_answer
from webapp.videos.access import role_for
from webapp.videos.models import VideoState

router = Router(tags=["overview"])

PersonFilter = Annotated[str, Field(pattern=r"^(me|none|[0-9]{1,18})$")]


class CardQuery(Schema):
    """Which videos are wanted, and in which order. `assignee` and `reviewer` are "me", "none" or the id of a person.

    The conditions on jobs (stage, job_state, assignee, reviewer, due) must hold for one and the same job of a video,
    but `due` "none" means that no job of the video has a due date, except jobs that are finished.
    """

    ids: Annotated[str, Field(pattern=r"^[0-9]{1,18}(,[0-9]{1,18}){0,199}$")] | None = None  # At most 200 of them.
    q: Annotated[str, Field(max_length=200)] = ""  # A part of the name.
    state: VideoState | None = None  # The state of the import.
    stage: Stage | None = None
    job_state: JobState | None = None
    assignee: PersonFilter | None = None
    reviewer: PersonFilter | None = None
    due: Due | None = None  # "week" is today and the next seven days; it and "today" contain what is overdue.
    label: int | None = None  # The id of a label that an object of the video has.
    truth: bool = False  # True: only videos with ground truth that the person who asks may see.
    archived: bool = False  # True: only archived videos; false: only the others.
    order: Order = "added"
    reverse: bool = False
    after: Annotated[str, Field(max_length=2000)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    def filter(self, user: User) -> Filter:
        return Filter(
            ids=None if self.ids is None else tuple(int(text) for text in self.ids.split(",")),
            text=self.q.strip(),
            state=self.state,
            stage=self.stage,
            job_state=self.job_state,
            assignee=_person(self.assignee, user),
            reviewer=_person(self.reviewer, user),
            due=self.due,
            label=self.label,
            truth=self.truth,
            archived=self.archived,
        )


def _person(given: str | None, user: User) -> int | None:
    match given:
        case None:
            return None
        case "none":
            return 0
        case "me":
            return user.pk
    return int(given)


@router.get("/projects/{int:project_id}/cards", response={200: CardPage, (400, 404): ErrorAnswer})
def list_cards(request: HttpRequest, project_id: int, query: Query[CardQuery]) -> JsonResponse:
    """Return a page of the videos of a project, with their jobs. `after` is the `next` of the page before."""
    user = signed_in(request)
    require(user, project_id)
    videos = chosen(user, project_id, query.filter(user))
    found = page(user, videos, query.order, reverse=query.reverse, after=query.after, limit=query.limit)
    answer = card_page(found, videos.count() if query.after is None else None)
    return JsonResponse(answer.model_dump())  # A model would be validated once more.


@router.get("/videos/{int:video_id}/cover.jpg", response={404: ErrorAnswer}, openapi_extra=binary_answer("image/jpeg"))
def get_cover(request: HttpRequest, video_id: int, v: int | None = None) -> HttpResponse:
    """Return a frame of a video with its mask as a small JPEG. The card of the video has the address."""
    role_for(signed_in(request), video_id)
    picture = draw_cover(video_id)
    if picture is None:
        raise NotFound("picture")
    kept = "private, max-age=604800" if v is not None else "private, no-cache"
    return HttpResponse(picture, content_type="image/jpeg", headers={"Cache-Control": kept})


class ActionBody(Strict):
    """An action, the ids of the videos on which it is carried out, and its value. Each action reads only the fields
    that it needs.
    """

    ids: Annotated[list[int], Field(min_length=1, max_length=1000)]
    action: Action
    person: int | None = None  # For "assign" and "reviewer"; null: nobody.
    priority: Priority | None = None
    due: date | None = None  # Null: no due date.
    project: int | None = None  # For "move" and "copy": the project that the videos go to.
    # For "move" and "copy": which labels of that project the objects get; others go by their names.
    labels: Annotated[list[LabelMove], Field(max_length=254)] = []


class ActionResult(Schema):
    changed: int  # The number of jobs for assign, reviewer, priority and due, otherwise of videos.


class ActionError(ErrorAnswer):
    """An error of an action on many videos. If `changed` is there, so many jobs or videos were changed before."""

    changed: int | None = None


@router.post(
    "/projects/{int:project_id}/videos/actions", response={200: ActionResult, (400, 403, 404, 409): ActionError}
)
def act_on_videos(request: HttpRequest, project_id: int, body: ActionBody) -> ActionResult:
    """Carry out one action on many videos, or on none if it is refused for one. If it is refused because something
    changed while it was under way, `changed` of the error says how much was done. Copies are made by workers, after
    this call has answered.
    """
    labels = {move.label: move.to for move in body.labels}
    values = Values(body.person, body.priority, body.due, body.project, labels)
    by = signed_in(request)
    changed = act_on_many(by=by, project_id=project_id, ids=body.ids, action=body.action, values=values)
    return ActionResult(changed=changed)


@router.get("/projects/{int:project_id}/progress", response={200: ProgressInfo, 404: ErrorAnswer})
def get_progress(request: HttpRequest, project_id: int) -> Progress:
    """Return how far a project is, and how many jobs and frames were left at the end of each day."""
    user = signed_in(request)
    require(user, project_id)
    return progress_of(user, project_id)


@router.get("/search", response=SearchAnswer)
def search_everywhere(request: HttpRequest, q: Annotated[str, Field(max_length=200)] = "") -> SearchAnswer:
    """Return the projects, videos and objects whose name contains `q`, of all your projects: 20 of each at most."""
    found = search(signed_in(request), q)
    return SearchAnswer(
        projects=[FoundProject(id=row.pk, name=row.name) for row in found.projects],
        videos=[
            FoundVideo(
                id=row.pk,
                name=row.name,
                project=row.project_id,
                project_name=row.project.name,
                frame_count=row.frame_count,
                archived=row.archived_at is not None,
            )
            for row in found.videos
        ],
        objects=[
            FoundObject(
                number=row.number,
                name=row.name,
                video=row.video_id,
                video_name=row.video.name,
                project=row.video.project_id,
                project_name=row.video.project.name,
            )
            for row in found.objects
        ],
    )
