"""Checks that the person who opened a socket may still use it: signed in, active, and a member of the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import Exists
from django.db.models.functions import Now
from django.utils.crypto import constant_time_compare

from webapp.accounts.models import User
from webapp.accounts.second_factor import must_set_up
from webapp.prepared import Call, Query
from webapp.problems import NotFound
from webapp.projects.access import require
from webapp.projects.models import Project, Role
from webapp.videos.access import role_for
from webapp.videos.models import Video

_SIGNED_IN = Query(
    lambda user_id, session_key: User.objects.filter(
        Exists(Session.objects.filter(pk=session_key, expire_date__gt=Now())), pk=user_id, is_active=True
    )[:1],
    user_id=int,
    session_key=str,
)


class CloseSocket(Exception):
    """The socket must be closed with `code`, one of protocol.CLOSE_CODES."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Handshake:
    """The ids and keys that a socket keeps of its handshake. The rows to which they belong are read for each check.

    `subject_id` is the id of the video, or of the project, that the socket is about.
    """

    user_id: int
    session_key: str
    auth_hash: str
    subject_id: int


def handshake_of(scope: Mapping[str, Any], subject_id: int) -> Handshake:
    """Return what to keep of a handshake. Raises CloseSocket if nobody is signed in."""
    user, session = scope["user"], scope["session"]
    if not user.is_authenticated:
        raise CloseSocket(4401)
    return Handshake(user.pk, session.session_key, session.get(HASH_SESSION_KEY, ""), subject_id)


def check(handshake: Handshake, *, opened: bool) -> tuple[User, Role]:
    """Return the user and the role as they are now. Raises CloseSocket if the socket must end.

    With `opened`, an earlier check succeeded: the code then tells a removed member (4403) from a deleted video (4404).
    Without it, both are 4404, so that a stranger does not learn that the video exists.
    """
    user = signed_in(handshake)
    try:
        return user, role_for(user, handshake.subject_id)
    except NotFound:
        there = Video.objects.filter(pk=handshake.subject_id, deleted_at=None, project__deleted_at=None)
        raise CloseSocket(4403 if opened and there.exists() else 4404) from None


def check_project(handshake: Handshake, *, opened: bool) -> tuple[User, Role]:
    """Return the user of a socket about a project, and their role in it. Raises CloseSocket as `check` does."""
    user = signed_in(handshake)
    try:
        return user, require(user, handshake.subject_id)
    except NotFound:
        there = Project.objects.filter(pk=handshake.subject_id, deleted_at=None)
        raise CloseSocket(4403 if opened and there.exists() else 4404) from None


def signed_in_call(handshake: Handshake) -> Call:
    """Return the query that `signed_in` makes."""
    return _SIGNED_IN.call(user_id=handshake.user_id, session_key=handshake.session_key)


def signed_in(handshake: Handshake) -> User:
    """Return the user who opened a socket. Raises CloseSocket if they are signed out, inactive or lack a demanded
    second factor.
    """
    user = _SIGNED_IN.first(user_id=handshake.user_id, session_key=handshake.session_key)
    if user is None or not constant_time_compare(handshake.auth_hash, user.get_session_auth_hash()):
        raise CloseSocket(4401)
    if must_set_up(user):
        raise CloseSocket(4401)
    return user
