"""REST calls of saved views."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from webapp.accounts.api import signed_in
from webapp.overview import views
from webapp.overview.models import SavedView
from webapp.paging import Sorted
from webapp.rest import ErrorAnswer, Strict

router = Router(tags=["overview"])


class ViewInfo(Schema):
    id: int
    name: str
    query: str  # As in the address of the page: "assignee=me&order=due".
    shared: bool  # All members of the project see it.
    author: str
    author_id: int

    @staticmethod
    def resolve_author(view: SavedView) -> str:
        return view.user.shown_name

    @staticmethod
    def resolve_author_id(view: SavedView) -> int:
        return view.user_id


class ViewBody(Strict):
    name: Annotated[str, Field(max_length=80)]
    query: Annotated[str, Field(max_length=2000)]
    shared: bool = False


@router.get("/projects/{int:project_id}/views", response={200: list[ViewInfo], (400, 404): ErrorAnswer})
def list_views(request: HttpRequest, project_id: int, part: Query[Sorted], response: HttpResponse) -> list[SavedView]:
    """Return your views of the list of a project, and those that others share, by name."""
    return part.page(views.views_of(signed_in(request), project_id), "name", request, response)


@router.post("/projects/{int:project_id}/views", response={201: ViewInfo, (400, 403, 404, 409): ErrorAnswer})
def save_view(request: HttpRequest, project_id: int, body: ViewBody) -> Status[SavedView]:
    """Save a view. It replaces one of yours with the same name. Only managers share views."""
    by = signed_in(request)
    view = views.save_view(by=by, project_id=project_id, name=body.name, query=body.query, shared=body.shared)
    return Status(201, view)


@router.delete("/views/{int:view_id}", response={204: None, (403, 404): ErrorAnswer})
def delete_view(request: HttpRequest, view_id: int) -> Status[None]:
    views.delete_view(by=signed_in(request), view_id=view_id)
    return Status(204, None)
