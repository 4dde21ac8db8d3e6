"""REST calls of projects and their members."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from webapp.accounts.api import signed_in
from webapp.accounts.models import User
from webapp.paging import NamePart, Sorted
from webapp.problems import Forbidden
from webapp.projects import editing, members
from webapp.projects.access import is_limited, memberships_of, project_for, projects_of
from webapp.projects.labels import LabelEdit
from webapp.projects.models import Membership, Project, Role, Sees
from webapp.rest import ErrorAnswer, Strict

router = Router(tags=["projects"])

Name = Annotated[str, Field(max_length=120)]
Guide = Annotated[str, Field(max_length=20_000)]
Reason = Annotated[str, Field(min_length=1, max_length=60)]
EngineName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class LabelInfo(Schema):
    id: int
    name: str
    color: str


class LabelBody(Strict):
    id: int | None = None
    name: Annotated[str, Field(max_length=60)]
    color: Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]


class LabelMove(Strict):
    """Which label the objects of a deleted label get."""

    label: int
    to: int | None  # The id of a label that is kept; null: they have none.


class LabelInUse(Schema):
    """A label that cannot be deleted without saying where its objects go."""

    id: int
    name: str
    objects: int


class ProjectError(ErrorAnswer):
    """An error of a change of a project. With the code "label_in_use", `in_use` has the labels."""

    in_use: list[LabelInUse] | None = None


class ProjectInfo(Schema):
    id: int
    name: str
    guide: str
    engine: str
    sees: Sees  # which videos annotators see: all, or only those of their jobs
    review: bool  # whether every job that is submitted goes to a reviewer
    pin_reasons: list[str]  # what a pin of a reviewer may be about
    labels: list[LabelInfo]
    role: Role  # of the person who asks
    videos: int
    members: int
    cover: int | None  # the newest video that is ready; its thumbnail stands for the project
    last_added_at: datetime | None  # when the newest video was added
    created_at: datetime
    archived: bool

    @staticmethod
    def resolve_archived(project: Project) -> bool:
        return project.archived_at is not None

    @staticmethod
    def resolve_cover(project: Project) -> int | None:
        role, cover = getattr(project, "role"), getattr(project, "cover_id")  # noqa: B009
        return None if is_limited(project, role) else cover  # An annotator may not see that video.

    @staticmethod
    def resolve_videos(project: Project) -> int:
        return getattr(project, "video_count")  # noqa: B009 - an annotation, unknown to the model's type

    @staticmethod
    def resolve_members(project: Project) -> int:
        return getattr(project, "member_count")  # noqa: B009


class ProjectBody(Strict):
    name: Name
    guide: Guide = ""
    engine: EngineName = "default"


class ProjectPatch(Strict):
    name: Name | None = None
    guide: Guide | None = None
    engine: EngineName | None = None
    sees: Sees | None = None
    review: bool | None = None
    pin_reasons: Annotated[list[Reason], Field(max_length=40)] | None = None
    archived: bool | None = None
    labels: Annotated[list[LabelBody], Field(max_length=254)] | None = None
    # Where the objects of the labels go that are missing from `labels`. Labels without objects need not be named.
    labels_to: Annotated[list[LabelMove], Field(max_length=254)] = []
    # What the page showed before the person edited. If somebody else has saved since, the call answers 409.
    guide_before: Guide | None = None
    labels_before: Annotated[list[LabelBody], Field(max_length=254)] | None = None


class MemberAccount(Schema):
    id: int
    username: str
    name: str

    @staticmethod
    def resolve_name(user: User) -> str:
        return user.shown_name


class MemberInfo(Schema):
    user: MemberAccount
    role: Role


class Invitation(Strict):
    username: Annotated[str, Field(min_length=1, max_length=150)]
    role: Role


class RolePatch(Strict):
    role: Role


class ProjectQuery(Sorted):
    """Which of your projects are wanted, and in which order: by name, if not said otherwise, or the oldest first."""

    archived: bool = False  # True: only archived projects; false: only the others.
    q: NamePart = ""  # A part of the name.
    role: Role | None = None  # The role that you have in the project.
    order: Literal["name", "created_at"] = "name"


class MemberQuery(Sorted):
    """The query parameters of the list of members, which is sorted by the time at which they joined."""

    q: NamePart = ""  # A part of the user name.
    role: Role | None = None


def _with_counts(user: User) -> QuerySet[Project]:
    """Return the projects of `user`, annotated with the role and the counts that the list shows."""
    own = memberships_of(user).filter(project=OuterRef("pk")).values("role")[:1]
    shown = {"videos__state": "ready", "videos__deleted_at": None}
    ready = Project.objects.filter(pk=OuterRef("pk"), **shown).order_by("-videos__id")
    return (
        projects_of(user)
        .annotate(
            role=Subquery(own),
            video_count=Count("videos", distinct=True, filter=Q(videos__deleted_at=None, videos__is_copy=False)),
            member_count=Count("memberships", distinct=True),
            cover_id=Subquery(ready.values("videos__id")[:1]),
            last_added_at=Max("videos__created_at", filter=Q(videos__deleted_at=None)),
        )
        .prefetch_related("labels")
    )


def _answer(user: User, project: Project) -> Project:
    return _with_counts(user).get(pk=project.pk)


@router.get("/projects", response={200: list[ProjectInfo], 400: ErrorAnswer})
def list_projects(request: HttpRequest, wanted: Query[ProjectQuery], response: HttpResponse) -> list[Project]:
    """Return your projects: those that are archived, or the others."""
    user = signed_in(request)
    rows = _with_counts(user).filter(archived_at__isnull=not wanted.archived)
    rows = rows.filter(name__icontains=wanted.q.strip()) if wanted.q.strip() else rows
    if wanted.role is not None:
        rows = rows.filter(pk__in=memberships_of(user).filter(role=wanted.role).values("project"))
    return wanted.page(rows, wanted.order, request, response)


@router.post("/projects", response={201: ProjectInfo, 400: ErrorAnswer})
def create_project(request: HttpRequest, body: ProjectBody) -> Status[Project]:
    user = signed_in(request)
    if user.token_projects is not None:
        raise Forbidden("This token is for certain projects only, so it cannot create one.")
    project = editing.create_project(by=user, name=body.name, guide=body.guide, engine=body.engine)
    return Status(201, _answer(user, project))


@router.get("/projects/{int:project_id}", response={200: ProjectInfo, 404: ErrorAnswer})
def get_project(request: HttpRequest, project_id: int) -> Project:
    user = signed_in(request)
    return _answer(user, project_for(user, project_id))


@router.patch("/projects/{int:project_id}", response={200: ProjectInfo, (400, 404): ErrorAnswer, 409: ProjectError})
def change_project(request: HttpRequest, project_id: int, body: ProjectPatch) -> Project:
    user = signed_in(request)
    project = editing.change_project(
        by=user,
        project_id=project_id,
        name=body.name,
        guide=body.guide,
        engine=body.engine,
        team=editing.TeamSettings(body.sees, body.review, body.pin_reasons, body.archived),
        labels=_edits(body.labels),
        moves={move.label: move.to for move in body.labels_to},
        before=editing.Before(body.guide_before, _edits(body.labels_before)),
    )
    return _answer(user, project)


def _edits(labels: list[LabelBody] | None) -> list[LabelEdit] | None:
    return None if labels is None else [LabelEdit(label.id, label.name, label.color) for label in labels]


@router.delete("/projects/{int:project_id}", response={204: None, 404: ErrorAnswer})
def delete_project(request: HttpRequest, project_id: int) -> Status[None]:
    editing.delete_project(by=signed_in(request), project_id=project_id)
    return Status(204, None)


@router.get("/projects/{int:project_id}/members", response={200: list[MemberInfo], (400, 404): ErrorAnswer})
def list_members(
    request: HttpRequest, project_id: int, wanted: Query[MemberQuery], response: HttpResponse
) -> list[Membership]:
    rows = project_for(signed_in(request), project_id).memberships.select_related("user")
    rows = rows.filter(user__username__icontains=wanted.q.strip()) if wanted.q.strip() else rows
    rows = rows if wanted.role is None else rows.filter(role=wanted.role)
    return wanted.page(rows, "created_at", request, response)


@router.post("/projects/{int:project_id}/members", response={201: MemberInfo, (404, 409): ErrorAnswer})
def invite_member(request: HttpRequest, project_id: int, body: Invitation) -> Status[Membership]:
    by = signed_in(request)
    return Status(201, members.invite(by=by, project_id=project_id, username=body.username, role=body.role))


@router.patch("/projects/{int:project_id}/members/{int:user_id}", response={200: MemberInfo, (404, 409): ErrorAnswer})
def change_member_role(request: HttpRequest, project_id: int, user_id: int, body: RolePatch) -> Membership:
    return members.change_role(by=signed_in(request), project_id=project_id, user_id=user_id, role=body.role)


@router.delete("/projects/{int:project_id}/members/{int:user_id}", response={204: None, (404, 409): ErrorAnswer})
def remove_member(request: HttpRequest, project_id: int, user_id: int) -> Status[None]:
    members.remove(by=signed_in(request), project_id=project_id, user_id=user_id)
    return Status(204, None)
