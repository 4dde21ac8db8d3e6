"""REST calls for uploads and videos, and for the frames, thumbnails and ground truth of videos."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from ninja import Header, Query, Router, Schema, Status
from pydantic import Field

from webapp import tus
from webapp.accounts.api import signed_in
from webapp.accounts.models import User
from webapp.paging import NamePart, Sorted
from webapp.problems import NotFound, Problem
from webapp.projects.access import project_for
from webapp.projects.models import Role
from webapp.rest import ErrorAnswer, Strict, UploadError, binary_answer, binary_body, stored_answer, tagged_answer
from webapp.storage.files import storage
from webapp.videos import editing, uploads
from webapp.videos.access import role_for, upload_for, video_for, videos_of
from webapp.videos.cards import VideoCard, with_work
from webapp.videos.models import Upload, Video, VideoState
from webapp.videos.source_table import read_source_table
from webapp.videos.storage import VideoFiles, read_file
from webapp.videos.thumbnails import MOST_THUMBNAILS, packed_thumbnails

router = Router(tags=["videos"])
Answer = HttpResponse
UPLOAD_BODY = {"$ref": "#/components/schemas/UploadBody"}

# A frame of a video never changes, and ids are never reused.
IMMUTABLE = "private, max-age=31536000, immutable"
REDIRECTED = "private, max-age=3000"  # An address in a bucket is valid for an hour.


class UploadBody(Strict):
    name: Annotated[str, Field(min_length=1, max_length=1000)]
    size: Annotated[int, Field(ge=0, le=1 << 53)]


class UploadInfo(Schema):
    id: UUID
    received: int
    size: int


class VideoPatch(Strict):
    name: Annotated[str, Field(max_length=200)]


class VideoQuery(Sorted):
    """Which videos are wanted, and in which order: by name or, if not said otherwise, by age, the oldest first."""

    q: NamePart = ""  # A part of the name.
    state: VideoState | None = None  # The state of the import.
    order: Literal["name", "created_at"] = "created_at"


class SourceFrames(Schema):
    """The name and the time stamp in seconds that each frame had in its source, in the order of frames.

    A name is "" and a time is null where the source has none.
    """

    names: list[str]
    times: list[float | None]


def _card(user: User, video: Video) -> Video:
    return with_work(user, Video.objects.filter(pk=video.pk)).get()


# --- uploads ----------------------------------------------------------------------------------------------------------


@router.post(
    "/projects/{int:project_id}/uploads",
    response={201: UploadInfo, (400, 404, 409, 412, 413, 429, 507): ErrorAnswer},
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": UPLOAD_BODY}}}},
)
def begin_upload(request: HttpRequest, project_id: int, body: UploadBody | None = None) -> Status[Upload] | Answer:
    """Begin an upload. A request of tus has no body; it has the headers Upload-Length and Upload-Metadata instead."""
    by = signed_in(request)
    if body is not None:
        return Status(201, uploads.begin_upload(by=by, project_id=project_id, name=body.name, size=body.size))
    if not tus.speaks_tus(request):
        raise Problem("invalid", "The body is missing: give the name and the size of the file.", 422, field="body")
    name, size = tus.name_and_size(request)
    upload = uploads.begin_upload(by=by, project_id=project_id, name=name, size=size)
    location = request.build_absolute_uri(f"/api/v1/uploads/{upload.pk}")
    about = {"id": upload.pk, "received": 0, "size": size}
    return JsonResponse(about, status=201, headers={"Location": location, "Upload-Offset": "0"})


@router.get("/uploads/{uuid:upload_id}", response={200: UploadInfo, (403, 404): ErrorAnswer})
def get_upload(request: HttpRequest, upload_id: UUID) -> Upload:
    return upload_for(signed_in(request), upload_id)


@router.api_operation(["HEAD"], "/uploads/{uuid:upload_id}", include_in_schema=False)
def ask_for_offset(request: HttpRequest, upload_id: UUID) -> Answer:
    """Answer with headers that tell at which byte an upload goes on, and how long it is, as tus prescribes.

    For a client that speaks tus, a complete file becomes a video if it has not become one yet: a client whose last
    chunk was stored, but answered with an error, asks here and then makes no further call.
    """
    by = signed_in(request)
    upload = upload_for(by, upload_id)
    headers = {"Upload-Offset": upload.received, "Upload-Length": upload.size, "Cache-Control": "no-store"}
    if upload.received == upload.size and tus.speaks_tus(request):
        headers["Maskwright-Video"] = uploads.finish_upload(by=by, upload_id=upload_id).pk
    return HttpResponse(headers={name: str(value) for name, value in headers.items()})


@router.api_operation(["OPTIONS"], "/projects/{int:project_id}/uploads", auth=None, include_in_schema=False)
def get_upload_abilities(request: HttpRequest, project_id: int) -> Answer:
    return _abilities()


@router.api_operation(["OPTIONS"], "/uploads/{uuid:upload_id}", auth=None, include_in_schema=False)
def get_chunk_abilities(request: HttpRequest, upload_id: UUID) -> Answer:
    return _abilities()


def _abilities() -> Answer:
    """Answer which parts of tus this server speaks."""
    return HttpResponse(
        status=204,
        headers={
            "Tus-Version": tus.VERSION,
            "Tus-Extension": tus.EXTENSIONS,
            "Tus-Max-Size": str(settings.CONFIG["MASKWRIGHT_MAX_UPLOAD_MB"] << 20),
            "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
        },
    )


@router.patch(
    "/uploads/{uuid:upload_id}",
    response={200: UploadInfo, (400, 404, 409, 411, 412, 413, 460, 503, 507): UploadError},
    openapi_extra=binary_body("application/octet-stream"),
)
def receive_chunk(
    request: HttpRequest, upload_id: UUID, upload_offset: Annotated[int, Header(alias="Upload-Offset", ge=0)]
) -> Upload | Answer:
    """Store a chunk, which is the body of the request.

    Django has buffered it on disk, or in memory if it is small. A request of tus is answered with headers alone, and
    the last chunk makes the file a video, because a client of tus makes no further call.
    """
    try:
        length = int(request.headers["Content-Length"])
    except (KeyError, ValueError):
        raise Problem("length_required", "The header Content-Length is missing.", 411) from None
    by, checksum = signed_in(request), tus.checksum_of(request)
    upload = uploads.receive_chunk(
        by=by, upload_id=upload_id, offset=upload_offset, length=length, body=request, checksum=checksum
    )
    if not tus.speaks_tus(request):
        return upload
    headers = {"Upload-Offset": str(upload.received)}
    if upload.received == upload.size:
        headers["Maskwright-Video"] = str(uploads.finish_upload(by=by, upload_id=upload_id).pk)
    return HttpResponse(status=204, headers=headers)


@router.delete("/uploads/{uuid:upload_id}", response={204: None, (404, 409): ErrorAnswer})
def drop_upload(request: HttpRequest, upload_id: UUID) -> Status[None]:
    uploads.drop_upload(by=signed_in(request), upload_id=upload_id)
    return Status(204, None)


@router.post("/uploads/{uuid:upload_id}/finish", response={201: VideoCard, (404, 409): UploadError})
def finish_upload(request: HttpRequest, upload_id: UUID) -> Status[Video]:
    user = signed_in(request)
    return Status(201, _card(user, uploads.finish_upload(by=user, upload_id=upload_id)))


# --- videos -----------------------------------------------------------------------------------------------------------


@router.get("/projects/{int:project_id}/videos", response={200: list[VideoCard], (400, 404): ErrorAnswer})
def list_videos(
    request: HttpRequest, project_id: int, wanted: Query[VideoQuery], response: HttpResponse
) -> list[Video]:
    """Return the videos of a project that you may see, those that are archived included."""
    user = signed_in(request)
    rows = with_work(user, videos_of(user).filter(project=project_for(user, project_id)))
    rows = rows.filter(name__icontains=wanted.q.strip()) if wanted.q.strip() else rows
    rows = rows if wanted.state is None else rows.filter(state=wanted.state)
    return wanted.page(rows, wanted.order, request, response)


@router.get("/videos/{int:video_id}", response={200: VideoCard, 404: ErrorAnswer})
def get_video(request: HttpRequest, video_id: int) -> Video:
    user = signed_in(request)
    return _card(user, video_for(user, video_id))


@router.patch("/videos/{int:video_id}", response={200: VideoCard, (400, 404): ErrorAnswer})
def rename_video(request: HttpRequest, video_id: int, body: VideoPatch) -> Video:
    user = signed_in(request)
    return _card(user, editing.rename_video(by=user, video_id=video_id, name=body.name))


@router.delete("/videos/{int:video_id}", response={204: None, 404: ErrorAnswer})
def delete_video(request: HttpRequest, video_id: int) -> Status[None]:
    editing.delete_video(by=signed_in(request), video_id=video_id)
    return Status(204, None)


@router.post("/videos/{int:video_id}/cancel-import", response={200: VideoCard, 404: ErrorAnswer})
def cancel_import(request: HttpRequest, video_id: int) -> Video:
    user = signed_in(request)
    return _card(user, editing.stop_import(by=user, video_id=video_id))


@router.get("/videos/{int:video_id}/source-frames", response={200: SourceFrames, 404: ErrorAnswer})
def get_source_frames(request: HttpRequest, video_id: int) -> SourceFrames:
    """Return what the frames were called, and when they are shown, in the file that the video was imported from."""
    video = video_for(signed_in(request), video_id)
    table = read_source_table(video.pk, video.frame_count)
    return SourceFrames(names=table.names, times=table.times)


# --- pictures ---------------------------------------------------------------------------------------------------------


@router.get(
    "/videos/{int:video_id}/frames/{int:frame}.jpg",
    response={404: ErrorAnswer},
    openapi_extra=stored_answer("image/jpeg"),
)
def get_frame(request: HttpRequest, video_id: int, frame: int, direct: bool = True) -> HttpResponse:
    """Return a frame. With `direct=0` the site sends it itself, also if it is in a bucket that clients may read."""
    role_for(signed_in(request), video_id)
    return _file(VideoFiles(video_id).frame(frame), "image/jpeg", direct)


@router.get(
    "/videos/{int:video_id}/thumbs/{int:frame}.jpg",
    response={404: ErrorAnswer},
    openapi_extra=stored_answer("image/jpeg"),
)
def get_thumbnail(request: HttpRequest, video_id: int, frame: int, direct: bool = True) -> HttpResponse:
    """Return the small picture of a frame, at most 256 pixels on its longest side. `direct` is as for a frame."""
    role_for(signed_in(request), video_id)
    return _file(VideoFiles(video_id).thumb(frame), "image/jpeg", direct)


@router.get(
    "/videos/{int:video_id}/thumbs",
    response={(404, 422): ErrorAnswer},
    openapi_extra=binary_answer("application/octet-stream"),
)
def get_thumbnails(
    request: HttpRequest, video_id: int, first: int = 0, last: int = MOST_THUMBNAILS - 1, step: int = 1
) -> HttpResponse:
    """Return the small pictures of the frames `first`, `first + step` and so on up to `last`, packed into one answer.

    Each is a JPEG behind two unsigned numbers of 4 bytes, lowest byte first: its frame and its size. Frames that the
    video does not have are left out.
    """
    video = video_for(signed_in(request), video_id)
    frames = range(first, min(last, video.frame_count - 1) + 1, step) if step > 0 else range(0)
    if not 0 <= first <= last or step < 1 or len(frames) > MOST_THUMBNAILS:
        refusal = f"Ask for 1 to {MOST_THUMBNAILS} thumbnails at a time, from `first` to `last` in steps of `step`."
        raise Problem("bad_range", refusal, 422)
    data, complete = packed_thumbnails(video_id, frames)
    caching = IMMUTABLE if complete and video.state == VideoState.READY else "private, no-store"
    return HttpResponse(data, content_type="application/octet-stream", headers={"Cache-Control": caching})


@router.get(
    "/videos/{int:video_id}/truth/{int:frame}.png",
    response={(403, 404): ErrorAnswer},
    openapi_extra=tagged_answer("image/png"),
)
def get_ground_truth(request: HttpRequest, video_id: int, frame: int) -> HttpResponse:
    """Return the ground truth of a frame. An import may replace it, so a client asks again each time (ETag)."""
    role_for(signed_in(request), video_id, Role.REVIEWER)
    return _whole(VideoFiles(video_id).truth(frame), "image/png", "private, no-cache")


def _file(name: str, content_type: str, direct: bool) -> HttpResponse:
    """Answer with a whole file. Frames have some 100 kB, for which a streamed answer would be slower.

    A site that lets browsers get files from its bucket answers with an address of the file there.
    """
    if direct and (address := storage().address(name, media_type=content_type)):
        return HttpResponseRedirect(address, headers={"Cache-Control": REDIRECTED})
    return _whole(name, content_type, IMMUTABLE)


def _whole(name: str, content_type: str, caching: str) -> HttpResponse:
    try:
        data = read_file(name)
    except FileNotFoundError:
        raise NotFound("frame") from None
    return HttpResponse(data, content_type=content_type, headers={"Cache-Control": caching})
