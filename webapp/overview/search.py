"""Search by name over all projects of a person."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.accounts.models import User
from webapp.annotation.models import Object
from webapp.projects.access import projects_of
from webapp.projects.models import Project
from webapp.videos.access import videos_of
from webapp.videos.models import Video

MOST = 20  # The most rows of each kind.


@dataclass(frozen=True)
class Found:
    projects: list[Project]
    videos: list[Video]
    objects: list[Object]


def search(user: User, text: str) -> Found:
    """Return the newest projects, videos and objects that `user` sees and whose name contains `text`, MOST of each.

    Archived ones are found, too; copies of videos and what is in the trash are not. Makes three queries.
    """
    text = text.strip()
    if not text:
        return Found([], [], [])
    videos = videos_of(user).filter(is_copy=False)
    named = Object.objects.filter(video__in=videos.values("pk"), name__icontains=text, deleted_at=None)
    return Found(
        projects=list(projects_of(user).filter(name__icontains=text).order_by("-pk")[:MOST]),
        videos=list(videos.filter(name__icontains=text).select_related("project").order_by("-pk")[:MOST]),
        objects=list(named.select_related("video__project").order_by("-pk")[:MOST]),
    )
