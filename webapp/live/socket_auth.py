"""Whether the one who opened a socket may still use it: signed in, switched on, and a member. Asked again and again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from webapp.accounts.models import User
from webapp.problems import NotFound
from webapp.projects.models import Role
from webapp.videos.access import role_for
from webapp.videos.models import Video


class CloseSocket(Exception):
    """The socket must be closed, with this code of protocol.CLOSE_CODES."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Handshake:
    """What a socket keeps of its handshake: names of rows, and never what the rows said."""

    user_id: int
    session_key: str
    auth_hash: str
    video_id: int


def handshake_of(scope: Mapping[str, Any], video_id: int) -> Handshake:
    """The handshake that a handshake begins. Raises CloseSocket for somebody who is not signed in."""
    user, session = scope["user"], scope["session"]
    if not user.is_authenticated:
        raise CloseSocket(4401)
    return Handshake(user.pk, session.session_key, session.get(HASH_SESSION_KEY, ""), video_id)


def check(handshake: Handshake, *, opened: bool) -> tuple[User, Role]:
    """The user and the role as they are now. Raises CloseSocket; to a stranger the video does not exist.

    `opened`: the socket was welcome before, so that what is gone now was taken away (4403) or deleted (4404).
    """
    user = User.objects.filter(pk=handshake.user_id, is_active=True).first()
    alive = Session.objects.filter(pk=handshake.session_key, expire_date__gt=timezone.now()).exists()
    if user is None or not alive or not constant_time_compare(handshake.auth_hash, user.get_session_auth_hash()):
        raise CloseSocket(4401)
    try:
        return user, role_for(user, handshake.video_id)
    except NotFound:
        taken_away = opened and Video.objects.filter(pk=handshake.video_id).exists()
        raise CloseSocket(4403 if taken_away else 4404) from None
