"""REST calls of imports of masks: create, follow, answer and cancel an import."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from webapp.accounts.api import signed_in
from webapp.annotation.imports import jobs
from webapp.annotation.imports.jobs import OtherLabels, import_for, imports_of
from webapp.annotation.models import MaskImport, MaskImportState
from webapp.paging import NewestFirst
from webapp.projects.access import project_for
from webapp.rest import ErrorAnswer, Strict

router = Router(tags=["imports"])

LabelName = Annotated[str, Field(max_length=60)]
# Maps labels in the file to names of labels of the project, or to null for no label. A manager may also give a new
# name: then the import makes the label.
LabelMapping = Annotated[dict[Annotated[str, Field(max_length=200)], LabelName | None], Field(max_length=1000)]


class MaskImportBody(Strict):
    """A request to import the masks in a complete upload of the project.

    With `video` they are masks of that video. Otherwise videos are found by their names in the file.

    `other_labels` says what happens to labels that the project does not have and `labels` does not name: the import
    asks, makes them, or leaves the objects without a label.
    """

    upload: UUID
    video: int | None = None
    ground_truth: bool = False  # Bring the masks in as ground truth instead of as a version that can be edited.
    labels: LabelMapping = {}
    other_labels: OtherLabels = "ask"


class LabelAnswer(Strict):
    labels: LabelMapping = {}
    other_labels: OtherLabels = "ask"


class ImportedVideo(Schema):
    """A video whose masks were brought in. `round` is the id of the version, null for ground truth."""

    video: int
    name: str
    round: int | None
    frames: int
    objects: int


class MaskImportInfo(Schema):
    id: int
    project: int
    video: int | None  # Null if videos are found by their names in the file.
    name: str  # The name of the file.
    ground_truth: bool
    format: str  # The name of the format that was found; empty until the file was read.
    state: MaskImportState
    unknown_labels: list[str]  # While `state` is asking: the labels for which POST .../labels has to be called.
    progress_done: int
    progress_total: int
    error: str
    note: str
    result: list[ImportedVideo]
    author: str
    author_id: int
    created_at: datetime

    @staticmethod
    def resolve_project(found: MaskImport) -> int:
        return found.project_id

    @staticmethod
    def resolve_video(found: MaskImport) -> int | None:
        return found.video_id

    @staticmethod
    def resolve_author(found: MaskImport) -> str:
        return found.author.shown_name


@router.post(
    "/projects/{int:project_id}/mask-imports", response={201: MaskImportInfo, (400, 403, 404, 409): ErrorAnswer}
)
def make_mask_import(request: HttpRequest, project_id: int, body: MaskImportBody) -> Status[MaskImport]:
    """Import the masks of an uploaded file. If the import fails, it stores none of them. Masks of accepted frames, and
    of videos that the project does not have, are left out; `note` says so.
    """
    made = jobs.make_import(
        by=signed_in(request),
        project_id=project_id,
        upload_id=body.upload,
        video_id=body.video,
        ground_truth=body.ground_truth,
        labels=body.labels,
        other_labels=body.other_labels,
    )
    return Status(201, made)


@router.get("/projects/{int:project_id}/mask-imports", response={200: list[MaskImportInfo], 404: ErrorAnswer})
def list_mask_imports(
    request: HttpRequest, project_id: int, part: Query[NewestFirst], response: HttpResponse
) -> list[MaskImport]:
    user = signed_in(request)
    return part.page(imports_of(user).filter(project=project_for(user, project_id)), request, response)


@router.get("/mask-imports/{int:import_id}", response={200: MaskImportInfo, 404: ErrorAnswer})
def get_mask_import(request: HttpRequest, import_id: int) -> MaskImport:
    return import_for(signed_in(request), import_id)


@router.post("/mask-imports/{int:import_id}/labels", response={200: MaskImportInfo, (400, 403, 404, 409): ErrorAnswer})
def answer_mask_import(request: HttpRequest, import_id: int, body: LabelAnswer) -> MaskImport:
    """Say which labels of the project the labels in the file become, for an import that asks. It then goes on."""
    by = signed_in(request)
    return jobs.answer_labels(by=by, import_id=import_id, labels=body.labels, other_labels=body.other_labels)


@router.delete("/mask-imports/{int:import_id}", response={204: None, 404: ErrorAnswer})
def remove_mask_import(request: HttpRequest, import_id: int) -> Status[None]:
    """Cancel an import that has not ended, or remove one that has from the list. Masks that were brought in stay."""
    jobs.remove_import(by=signed_in(request), import_id=import_id)
    return Status(204, None)
