"""Lets a worker compute several rounds by turns, so that a long round does not hold back the first mask of another one.

Between two frames of a round the worker looks for previews and rounds that wait. It answers the previews and begins a
round, unless another worker is idle; a round that has waited for a second is begun all the same. From then on each of
its rounds gets a turn. The worker holds the leases of all of
them and keeps their sessions open, so each goes on where it stopped, and its masks are the same as without turns.
"""

from __future__ import annotations

import time
from collections import deque

import structlog
from django.conf import settings
from django.db import DatabaseError

from webapp.annotation.previews import waiting_previews
from webapp.inference import work, workers
from webapp.inference.order import newest_waiting, next_round, somebody_is_idle
from webapp.inference.previews import answer_all
from webapp.inference.work import OpenRound, open_round

log = structlog.get_logger(__name__)

TURN_SECONDS = 0.5
GLANCE_SECONDS = 0.05  # The time between two glances at whether previews or rounds have come.
LOOK_SECONDS = 0.2  # The time between two looks for waiting previews and rounds if none have come.


def work_in_turns(round_id: int) -> bool:
    """Claim a round and compute it, taking turns with rounds that arrive meanwhile. Return when all have ended.

    Returns False, and does nothing, if the round could not be claimed. Raises DatabaseError if a round could not be
    stored; the other rounds were computed all the same.
    """
    first = open_round(round_id)
    if first is None:
        return False
    Turns(first).run()
    return True


class Turns:
    """The rounds that this worker computes by turns. The first in the queue is computed now."""

    def __init__(self, first: OpenRound) -> None:
        self._open = deque([first])
        self._glanced_at = self._looked_at = time.monotonic()
        self._newest = (0, 0)  # The newest round and preview that waited at the last look.
        self._error: DatabaseError | None = None

    def run(self) -> None:
        """Compute until no round is open. Raises the last DatabaseError of a round."""
        try:
            while self._open:
                self._take_turn(self._open[0])
        finally:
            for left in self._open:
                left.close()
        if self._error is not None:
            raise self._error

    def _take_turn(self, current: OpenRound) -> None:
        """Compute `current`, the first round of the queue, until it ends, its time is up, or another round was
        begun.
        """
        until = time.monotonic() + TURN_SECONDS
        with structlog.contextvars.bound_contextvars(row=current.round_id):
            try:
                while current.step():
                    if self._begin_another():
                        return
                    if len(self._open) > 1 and time.monotonic() >= until:
                        self._open.rotate(-1)
                        return
            except DatabaseError as error:  # The sweep takes the round back when its heartbeat is stale.
                log.warning("round_not_stored", round=current.round_id, error=str(error))
                self._error = error
        self._open.popleft()

    def _begin_another(self) -> bool:
        """Answer the previews that wait, and begin a round that waits. Return whether one was begun; it has the turn.

        It looks only every LOOK_SECONDS, or when `newest_waiting` tells that something new waits. It then also closes
        sessions for which the open rounds leave no memory.
        """
        now = time.monotonic()
        if now - self._glanced_at < GLANCE_SECONDS:
            return False
        self._glanced_at = now
        try:
            newest = newest_waiting()
            if newest == self._newest and now - self._looked_at < LOOK_SECONDS:
                return False
            self._newest = newest
            work.sessions.trim()
            if waiting_previews() and not somebody_is_idle():
                answer_all()
            begun = self._next()
        except DatabaseError as error:
            log.warning("waiting_work_not_looked_for", error=str(error))
            begun = None
        self._looked_at = time.monotonic()
        if begun is None:
            return False
        self._open.appendleft(begun)
        return True

    def _next(self) -> OpenRound | None:
        waiting = next_round(busy=True) if len(self._open) < most_open() else None
        return None if waiting is None or workers.is_draining() else open_round(waiting)


def most_open() -> int:
    """Return how many rounds a worker computes by turns: as many as have room for their sessions, at least one."""
    config = settings.CONFIG
    return max(1, config["MASKWRIGHT_SESSIONS_MB"] // config["MASKWRIGHT_MEMORY_MB"])
