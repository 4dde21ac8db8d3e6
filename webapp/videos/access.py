"""Finds the videos that a user may see, and the uploads that a user may continue.

The order of the roles is defined in projects/access.py.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from webapp.accounts.models import User
from webapp.prepared import Call, Query
from webapp.problems import Forbidden, NotFound
from webapp.projects.access import ONLY_JOBS, Visitor, allows, is_limited, memberships_of, require
from webapp.projects.models import Role
from webapp.videos.models import Upload, Video, VideoState

REVIEWERS = [role for role in Role if allows(role, Role.REVIEWER)]


def videos_of(user: Visitor) -> QuerySet[Video]:
    """Return the videos that `user` sees: those of the projects that `user` is a member of, without
    those in the trash.

    An annotator of a project that shows annotators only their jobs sees the videos with a job of theirs, and of those
    that they added the ones that are not ready. Copies, which several people annotate without seeing each other's work,
    are seen by reviewers and by people with a job in them.
    """
    memberships = memberships_of(user)
    own = Q(jobs__assignee=user.pk) | Q(jobs__reviewer=user.pk) | (Q(created_by=user.pk) & ~Q(state=VideoState.READY))
    whole = Q(project__in=memberships.exclude(ONLY_JOBS).values("project"))
    limited = Q(project__in=memberships.filter(ONLY_JOBS).values("project"))
    # Jobs belong to a higher layer (webapp/jobs), so the relation is used by its name.
    theirs = Exists(Video.objects.filter(own, pk=OuterRef("pk")))  # It is looked at only where the others are false.
    reviewed = Q(project__in=memberships.filter(role__in=REVIEWERS).values("project"))
    no_secret = Q(is_copy=False) | reviewed | Q(theirs)
    return Video.objects.filter(whole | (limited & Q(theirs)), no_secret, deleted_at=None)


def marking_truth(user: Visitor, videos: QuerySet[Video]) -> QuerySet[Video]:
    """Annotate videos with `shows_truth`: whether `user` may know that they have ground truth."""
    own = memberships_of(user).filter(project=OuterRef("project"), role__in=REVIEWERS)
    return videos.annotate(shows_truth=Exists(own))


def role_for(user: Visitor, video_id: int, at_least: Role = Role.VIEWER) -> Role:
    """Return the role of `user` in the project of a video. Raises NotFound or Forbidden."""
    return video_and_role(user, video_id, at_least)[1]


def video_for(user: Visitor, video_id: int, at_least: Role = Role.VIEWER) -> Video:
    """Return a video if `user` has at least the role `at_least` in its project. Raises NotFound or Forbidden."""
    return video_and_role(user, video_id, at_least)[0]


def video_and_role(user: Visitor, video_id: int, at_least: Role = Role.VIEWER) -> tuple[Video, Role]:
    """Return a video with its project, and the role of `user` in it. Raises NotFound or Forbidden.

    This is called for each message of a socket. So the long query of `videos_of` is made only where the role and the
    video do not tell already that the user sees the video.
    """
    if isinstance(user, User) and user.is_active and user.token_projects is None:
        video = _WITH_ROLE.first(user_id=user.pk, video_id=video_id)
    else:
        video = _with_role(user, video_id).first()
    role = getattr(video, "role", None)
    if video is None or role is None:
        raise NotFound("video")
    plain = not is_limited(video.project, role) and (not video.is_copy or role in REVIEWERS)
    if not plain and not videos_of(user).filter(pk=video_id).exists():
        raise NotFound("video")
    if not allows(role, at_least):
        raise Forbidden(f"This needs the role {at_least.value}; in this project you are {role}.")
    return video, Role(role)


def video_and_role_call(user_id: int, video_id: int) -> Call:
    """Return the query that `video_and_role` makes first for a user who is signed in without a token."""
    return _WITH_ROLE.call(user_id=user_id, video_id=video_id)


def _with_role(user: Visitor, video_id: int) -> QuerySet[Video]:
    # Filtering by the primary key makes Django check its range, so a huge number finds nothing.
    own = memberships_of(user).filter(project=OuterRef("project")).values("role")[:1]
    rows = Video.objects.filter(pk=video_id, deleted_at=None).select_related("project")
    return rows.annotate(role=Subquery(own))[:1]


_WITH_ROLE = Query(lambda user_id, video_id: _with_role(User(pk=user_id), video_id), user_id=int, video_id=int)


def upload_for(user: Visitor, upload_id: UUID) -> Upload:
    """Return an upload that `user` began and may continue. Raises NotFound or Forbidden."""
    upload = Upload.objects.select_related("project").filter(pk=upload_id).first()
    if upload is None:
        raise NotFound("upload")
    require(user, upload.project_id, Role.ANNOTATOR, what="upload")
    if upload.created_by_id != user.pk:
        raise Forbidden("Only the one who began an upload can go on with it.")
    return upload
