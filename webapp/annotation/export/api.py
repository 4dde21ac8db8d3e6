"""REST calls of exports: list the formats; create, follow, download and delete an export."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import IO, Annotated

from django.core.handlers.asgi import ASGIRequest
from django.db.models import Q
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.utils.http import content_disposition_header
from ninja import Query, Router, Schema, Status
from pydantic import Field

from webapp.accounts.api import signed_in
from webapp.annotation.export import jobs
from webapp.annotation.export.files import download_name, export_file
from webapp.annotation.export.format import Format, Takes
from webapp.annotation.export.formats import FORMATS
from webapp.annotation.export.jobs import export_for, exports_of
from webapp.annotation.export.options import Look, Matte, Names, Options, Shape
from webapp.annotation.models import Export, ExportState
from webapp.paging import NewestFirst
from webapp.problems import NotFound, Problem
from webapp.projects.access import project_for
from webapp.rest import ErrorAnswer, Strict, resumable_answer
from webapp.storage.files import storage
from webapp.videos.access import video_for

router = Router(tags=["exports"])

CHUNK = 1 << 20


class FormatInfo(Schema):
    name: str
    title: str
    note: str
    suffix: str
    of_project: bool  # Whether a file of this format can hold all videos of a project.
    takes: list[Takes]  # Which of the options that mean something for some formats only it takes.


FrameSpan = Annotated[list[Annotated[int, Field(ge=0, lt=1 << 20)]], Field(min_length=2, max_length=2)]


Color = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]


class OverlayLook(Strict):
    """How an overlay video shows the objects."""

    opacity: Annotated[float, Field(ge=0, le=1)] = 0.5  # Of the colour over an object.
    contour: Annotated[int, Field(ge=0, le=20)] = 1  # The width of the line along its border in pixels; 0: none.
    color: Color | None = None  # One colour for all objects; null: each has its own.
    background: Color | None = None  # A colour in place of what is outside of the objects; null: the frame.


class MatteOptions(Strict):
    """How soft mattes are made."""

    edge: Annotated[int, Field(ge=0, le=64)] | None = None  # Half the width of the soft edge in pixels; null: by size.
    premultiplied: bool = False  # Whether the colours of a video with alpha are multiplied by it.


class ExportOptions(Strict):
    """The frames and objects of videos that are exported, and how they are written."""

    spans: Annotated[list[FrameSpan], Field(max_length=1000)] = []  # Inclusive ranges of frames; empty: all frames.
    accepted_only: bool = False  # Only accepted frames.
    labels: Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=1000)] | None = None  # None: all.
    names: Names | None = None  # Names of frames: those of the source files, or numbers; None: as the format does.
    shape: Shape = "stored"  # "display" stretches pixels that are not square.

    look: OverlayLook = OverlayLook()  # Only for the format overlay.
    matte: MatteOptions = MatteOptions()  # Only for soft mattes, videos with alpha, and overlays before a background.

    def chosen(self) -> Options:
        return Options(**{**self.dict(), "look": Look(**self.look.dict()), "matte": Matte(**self.matte.dict())})


class VideoExportOptions(ExportOptions):
    """The frames and objects of a video that are exported, and how they are written."""

    objects: Annotated[list[Annotated[int, Field(ge=1, le=254)]], Field(max_length=254)] | None = None  # None: all.


class ExportBody(Strict):
    format: Annotated[str, Field(max_length=40)]  # The name of the format.
    round: int | None = None  # The id of a round; None for the head.
    options: VideoExportOptions = VideoExportOptions()


SplitName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,19}$")]


class ProjectExportOptions(ExportOptions):
    """The frames and objects of a project's videos that are exported, and the split (such as train) of each video."""

    splits: Annotated[dict[SplitName, Annotated[list[int], Field(max_length=10_000)]], Field(max_length=20)] = {}
    val_percent: Annotated[int, Field(ge=0, le=99)] = 0  # The share of videos in val; the others are in train.


class ProjectExportBody(Strict):
    format: Annotated[str, Field(max_length=40)]  # The name of a format that can hold several videos.
    videos: Annotated[list[int], Field(min_length=1, max_length=10_000)] | None = None  # Only these; None: all.
    options: ProjectExportOptions = ProjectExportOptions()


class ExportInfo(Schema):
    id: int
    video: int | None  # None for an export of a project.
    video_name: str  # Empty for an export of a project.
    format: str  # The name of the format.
    state: ExportState
    round: int | None  # The number of the round within its video.
    progress_done: int
    progress_total: int
    error: str
    size_bytes: int
    author: str
    author_id: int
    created_at: datetime

    @staticmethod
    def resolve_video(export: Export) -> int | None:
        return export.video_id

    @staticmethod
    def resolve_video_name(export: Export) -> str:
        return "" if export.video is None else export.video.name

    @staticmethod
    def resolve_round(export: Export) -> int | None:
        return export.round.number if export.round else None

    @staticmethod
    def resolve_author(export: Export) -> str:
        return export.author.shown_name


@router.get("/export-formats", response=list[FormatInfo])
def list_export_formats(request: HttpRequest) -> list[Format]:
    """Return the formats that an export can have, in the order in which the page offers them."""
    return list(FORMATS.values())


@router.get("/videos/{int:video_id}/exports", response={200: list[ExportInfo], 404: ErrorAnswer})
def list_exports(request: HttpRequest, video_id: int, part: Query[NewestFirst], response: HttpResponse) -> list[Export]:
    user = signed_in(request)
    return part.page(exports_of(user).filter(video=video_for(user, video_id)), request, response)


@router.get("/projects/{int:project_id}/exports", response={200: list[ExportInfo], 404: ErrorAnswer})
def list_project_exports(
    request: HttpRequest, project_id: int, part: Query[NewestFirst], response: HttpResponse
) -> list[Export]:
    user = signed_in(request)
    project = project_for(user, project_id)
    exports = exports_of(user).filter(Q(video__project=project) | Q(project=project))
    return part.page(exports, request, response)


@router.post("/projects/{int:project_id}/exports", response={201: ExportInfo, (400, 404, 409): ErrorAnswer})
def make_project_export(request: HttpRequest, project_id: int, body: ProjectExportBody) -> Status[Export]:
    """Export the videos of a project that have masks, or those of `videos`, each at its head, in one file.

    Copies of videos are left out, and so are videos without a frame that fits the options.
    """
    by = signed_in(request)
    return Status(
        201,
        jobs.make_project_export(
            by=by,
            project_id=project_id,
            format_name=body.format,
            options=body.options.chosen(),
            video_ids=body.videos,
        ),
    )


@router.post("/videos/{int:video_id}/exports", response={201: ExportInfo, (400, 404, 409): ErrorAnswer})
def make_export(request: HttpRequest, video_id: int, body: ExportBody) -> Status[Export]:
    by = signed_in(request)
    return Status(
        201,
        jobs.make_export(
            by=by, video_id=video_id, format_name=body.format, round_id=body.round, options=body.options.chosen()
        ),
    )


@router.get("/exports/{int:export_id}", response={200: ExportInfo, 404: ErrorAnswer})
def get_export(request: HttpRequest, export_id: int) -> Export:
    return export_for(signed_in(request), export_id)


@router.delete("/exports/{int:export_id}", response={204: None, 404: ErrorAnswer})
def remove_export(request: HttpRequest, export_id: int) -> Status[None]:
    jobs.remove_export(by=signed_in(request), export_id=export_id)
    return Status(204, None)


@router.get(
    "/exports/{int:export_id}/file",
    response={(404, 409): ErrorAnswer},
    openapi_extra=resumable_answer("*/*"),
)
def download_export(request: HttpRequest, export_id: int) -> StreamingHttpResponse | HttpResponseRedirect:
    """Return the file. With the header `Range: bytes=N-`, it begins at byte N, so that a download can continue.

    A site that lets browsers get files from its bucket redirects to the address of the file there.
    """
    export = export_for(signed_in(request), export_id)
    if export.state != ExportState.DONE:
        raise Problem("not_ready", "This export is not complete.", 409)
    name, known = export_file(export.pk), FORMATS.get(export.format)
    if known is None:
        raise NotFound("file")
    saved_as = content_disposition_header(True, download_name(export, known.suffix)) or "attachment"
    if address := storage().address(name, media_type=known.media_type, saved_as=saved_as):
        return HttpResponseRedirect(address, headers={"Cache-Control": "private, no-store"})
    try:
        size = storage().size(name)
        start = _range_start(request, size)
        file = storage().open(name, start)
    except FileNotFoundError:
        raise NotFound("file") from None
    # Under ASGI Django would read the whole file before it sends the first byte.
    is_async = isinstance(request, ASGIRequest)
    answer = StreamingHttpResponse(_chunks(file)) if is_async else FileResponse(file)
    answer["Content-Type"] = known.media_type
    answer["Content-Length"] = str(size - start)
    answer["Accept-Ranges"] = "bytes"
    answer["ETag"] = f'"export-{export.pk}-{size}"'  # The file of an export never changes.
    if start:
        answer.status_code = 206
        answer["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
    answer["Content-Disposition"] = saved_as
    answer["Cache-Control"] = "private, no-store"
    return answer


def _range_start(request: HttpRequest, size: int) -> int:
    """Return the byte from which a client wants the file. Other forms of ranges get the whole file, as HTTP allows."""
    found = re.fullmatch(r"bytes=([0-9]{1,18})-", request.headers.get("Range", ""))
    start = int(found[1]) if found else 0
    return start if start < size else 0


async def _chunks(file: IO[bytes]) -> AsyncIterator[bytes]:
    try:
        while data := await asyncio.to_thread(file.read, CHUNK):
            yield data
    finally:
        file.close()
