"""The cards that show the videos of a project on its page."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from ninja import Schema

from webapp.projects.access import Visitor
from webapp.videos.access import marking_truth
from webapp.videos.models import Video, VideoState


class CardFields(Schema):
    """The fields of a video that every list of videos shows."""

    id: int
    project: int
    name: str
    state: VideoState
    error: str
    note: str  # What a person should know about a ready video, such as files that were left out.
    width: int
    height: int
    frame_count: int
    fps: float
    pixel_aspect: float  # The width of a pixel divided by its height; 1 for nearly all videos.
    size_bytes: int
    progress_done: int
    progress_total: int  # 0 if unknown.
    created_at: datetime
    rounds: int
    last_worked_by: str | None
    last_worked_at: datetime | None
    has_truth: bool
    running: bool  # Whether a round waits or runs.
    accepted: int  # How many frames are accepted.
    to_fix: int | None  # How many frames are unsure or have lost an object; null: not counted yet.
    cover: str | None  # The address of a small JPEG with the masks of a frame; null: before the first round.
    archived: bool


class VideoCard(CardFields):
    """A video on the page of its project."""

    @staticmethod
    def resolve_project(video: Video) -> int:
        return video.project_id

    @staticmethod
    def resolve_rounds(video: Video) -> int:
        return video.rounds_made

    @staticmethod
    def resolve_last_worked_by(video: Video) -> str | None:
        return None if video.worked_by is None else video.worked_by.shown_name

    @staticmethod
    def resolve_last_worked_at(video: Video) -> datetime | None:
        return video.worked_at

    @staticmethod
    def resolve_running(video: Video) -> bool:
        return video.is_running

    @staticmethod
    def resolve_accepted(video: Video) -> int:
        return video.accepted_count

    @staticmethod
    def resolve_cover(video: Video) -> str | None:
        # The head belongs to a higher layer (webapp/annotation), so the relation is used by its name. The address
        # changes with the row of the video, so that browsers may keep the picture.
        head = getattr(video, "head", None)
        version = int(video.changed_at.timestamp() * 1000)
        return None if head is None or head.round_id is None else f"/api/videos/{video.pk}/cover.jpg?v={version}"

    @staticmethod
    def resolve_archived(video: Video) -> bool:
        return video.archived_at is not None

    @staticmethod
    def resolve_has_truth(video: Video) -> bool:
        return bool(video.truth_frames) and getattr(video, "shows_truth", False)


def with_work(user: Visitor, videos: QuerySet[Video]) -> QuerySet[Video]:
    """Load with `videos`, in one query, who worked on each of them last, and whether `user` may see ground truth."""
    return marking_truth(user, videos).select_related("worked_by", "head")
