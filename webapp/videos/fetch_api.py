"""REST calls of fetches: files that nobody uploads, but that the server reads from its import folder or a bucket, or
downloads from a URL.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from webapp.accounts.api import signed_in
from webapp.paging import NewestFirst
from webapp.projects.access import require
from webapp.projects.models import Role
from webapp.rest import ErrorAnswer, Strict
from webapp.videos import fetching
from webapp.videos.bucket import allowed_places
from webapp.videos.fetch_sources import Entry, has_folder, list_files
from webapp.videos.models import Fetch, FetchState

router = Router(tags=["videos"])


class FetchBody(Strict):
    """A request to fetch the file `source`: a URL (https://...), an object of a bucket (s3://...), or a path below the
    import folder.

    With `as_video` the file becomes a video. Otherwise it becomes an upload, for an import of masks.
    """

    source: Annotated[str, Field(min_length=1, max_length=1000)]
    as_video: bool = True


class FetchInfo(Schema):
    id: int
    source: str
    as_video: bool
    state: FetchState
    error: str
    progress_done: int  # in bytes
    progress_total: int  # in bytes; 0 if unknown
    upload: UUID | None  # The upload that holds the file, when it is done.
    video: int | None  # The id of the video, when it is done.
    created_at: datetime

    @staticmethod
    def resolve_upload(fetch: Fetch) -> UUID | None:
        return fetch.upload_id

    @staticmethod
    def resolve_video(fetch: Fetch) -> int | None:
        made = fetch.upload.videos.order_by("pk").first() if fetch.as_video and fetch.upload is not None else None
        return None if made is None else made.pk


class FetchSources(Schema):
    """The kinds of sources from which this site may fetch files: each is true if it is allowed."""

    folder: bool  # the import folder
    addresses: bool  # public addresses (https://...)
    buckets: bool  # buckets (s3://...)


class FolderEntry(Schema):
    path: str  # below the import folder, or the address in a bucket (s3://...)
    is_folder: bool
    size: int  # in bytes; 0 for a folder


@router.get("/fetch-sources", response=FetchSources)
def get_fetch_sources(request: HttpRequest) -> FetchSources:
    """Return from where the site may fetch files, as its administrator has set it."""
    addresses = settings.CONFIG["MASKWRIGHT_IMPORT_ADDRESSES"]
    return FetchSources(folder=has_folder(), addresses=addresses, buckets=bool(allowed_places()))


@router.get("/projects/{int:project_id}/server-files", response={200: list[FolderEntry], (403, 404, 409): ErrorAnswer})
def list_server_files(
    request: HttpRequest, project_id: int, path: Annotated[str, Field(max_length=1000)] = ""
) -> list[Entry]:
    """Return what lies in a folder of the import folder or of a bucket, at most 1,000 entries."""
    require(signed_in(request), project_id, Role.ANNOTATOR)
    return list_files(path)


@router.get("/projects/{int:project_id}/fetches", response={200: list[FetchInfo], (403, 404): ErrorAnswer})
def list_fetches(
    request: HttpRequest, project_id: int, part: Query[NewestFirst], response: HttpResponse
) -> list[Fetch]:
    """Return your fetches of a project; managers see those of all."""
    fetches = fetching.fetches_of(signed_in(request), project_id).select_related("upload")
    return part.page(fetches, request, response)


@router.post("/projects/{int:project_id}/fetches", response={201: FetchInfo, (400, 403, 404, 409, 429): ErrorAnswer})
def begin_fetch(request: HttpRequest, project_id: int, body: FetchBody) -> Status[Fetch]:
    """Have the server fetch a file from its import folder, a bucket or a URL, in place of an upload."""
    by = signed_in(request)
    fetch = fetching.begin_fetch(by=by, project_id=project_id, source=body.source, as_video=body.as_video)
    return Status(201, fetch)


@router.get("/fetches/{int:fetch_id}", response={200: FetchInfo, (403, 404): ErrorAnswer})
def get_fetch(request: HttpRequest, fetch_id: int) -> Fetch:
    return fetching.fetch_for(signed_in(request), fetch_id)


@router.post("/fetches/{int:fetch_id}/cancel", response={200: FetchInfo, (403, 404): ErrorAnswer})
def cancel_fetch(request: HttpRequest, fetch_id: int) -> Fetch:
    user = signed_in(request)
    fetching.cancel_fetch(by=user, fetch_id=fetch_id)
    return fetching.fetch_for(user, fetch_id)
