"""The cards that show the videos of a project on its page."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.expressions import Value
from django.db.models.functions import Coalesce, NullIf
from ninja import Schema

from webapp.videos.models import Video, VideoState

RUNNING = ("queued", "running")


class VideoCard(Schema):
    """A video on the page of its project. Its figures about rounds come from the annotations of `with_work`."""

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
    running: bool

    @staticmethod
    def resolve_project(video: Video) -> int:
        return video.project_id

    @staticmethod
    def resolve_rounds(video: Video) -> int:
        return getattr(video, "round_count")  # noqa: B009 - an annotation, unknown to the model's type

    @staticmethod
    def resolve_has_truth(video: Video) -> bool:
        return bool(video.truth_frames)


def with_work(videos: QuerySet[Video]) -> QuerySet[Video]:
    """Annotate `videos`, in one query, with figures about their rounds.

    These are the number of rounds, who made the newest one and when, and whether a round waits or runs. Rounds belong
    to a higher layer (webapp/annotation), so the relation is used by its name instead of importing the model.
    """
    same = Video.objects.filter(pk=OuterRef("pk"))
    newest = same.order_by("-rounds__id")
    name = Coalesce(NullIf("rounds__author__name", Value("")), "rounds__author__username")
    return videos.annotate(
        round_count=Count("rounds", distinct=True),
        last_worked_by=Subquery(newest.annotate(by=name).values("by")[:1]),
        last_worked_at=Subquery(newest.annotate(at=F("rounds__created_at")).values("at")[:1]),
        running=Exists(same.filter(rounds__state__in=RUNNING)),
    )
