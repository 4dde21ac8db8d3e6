"""Computes one round: claims it, opens the session, stores masks as they are computed, and stops if it is asked to.

A round is computed in steps. Between two of them a worker may do other work (turns.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError

from webapp.annotation.accepted import accepted_frames
from webapp.annotation.claims import (
    ROUNDS,
    Claim,
    Lost,
    NewMask,
    asked_to_stop,
    beat,
    claim,
    fail,
    finish,
    new_mask,
    stored_frames,
)
from webapp.annotation.claims import store as store_masks
from webapp.annotation.masks import line_of
from webapp.annotation.models import Direction, Origin, Round
from webapp.inference import runner
from webapp.inference.edits import edited_masks
from webapp.inference.sessions import SessionCache, SessionKey
from webapp.prepared import Query
from webapp.storage.failure import AWAY_FOR_LONG, StorageAway
from webapp.tasks.heartbeat import beating
from webapp.tasks.worker_names import own_name

log = structlog.get_logger(__name__)

BATCH_SECONDS = 0.05  # Masks that the engine yields within this time are stored in one transaction.
BEAT_SECONDS = 1.0

Progress = Callable[[int, int], None]
sessions: runner.EngineSessions = SessionCache(settings.CONFIG["MASKWRIGHT_SESSIONS_MB"] << 20)


def work_on(round_id: int, on_progress: Progress | None = None) -> bool:
    """Claim a round and compute it to its end. Return False if it could not be claimed.

    `on_progress(frames done, frames in all)` is called again and again. How the round ended is stored in its row.
    """
    opened = open_round(round_id, on_progress)
    if opened is None:
        return False
    while opened.step():
        pass
    return True


def open_round(round_id: int, on_progress: Progress | None = None) -> OpenRound | None:
    """Claim a round for this worker, which then computes it step by step. Return None if it could not be claimed."""
    problem = None
    try:
        columns = _columns(round_id)
    except DatabaseError:
        raise
    except Exception as error:  # The weights are missing, for example. Only who claims the round may say so.
        problem, columns = error, {}
    claimed = claim(round_id, own_name(), **columns)
    return None if claimed is None else OpenRound(claimed, on_progress or (lambda done, total: None), problem)


class OpenRound:
    """A round that this worker has claimed and computes step by step. Its heartbeat is stored between steps, too.

    `problem` is why it cannot be computed, or None. The first step then ends the round as failed.
    """

    def __init__(self, claimed: Claim, on_progress: Progress, problem: Exception | None = None) -> None:
        self.round_id = claimed.round_id
        self._steps = _steps(claimed, on_progress, problem)

    def step(self) -> bool:
        """Compute until some masks are stored. Raises DatabaseError.

        Return False once the round has ended, was postponed, or was taken from this worker.
        """
        return next(self._steps, _ENDED) is not _ENDED

    def close(self) -> None:
        """Stop computing without ending the round. The sweep takes the round back when its heartbeat is stale."""
        self._steps.close()


_ENDED = object()
_ROUND = Query(lambda round_id: Round.objects.select_related("video").filter(pk=round_id), round_id=int)


def _steps(claimed: Claim, on_progress: Progress, problem: Exception | None) -> Generator[None]:
    """Compute a round. The generator yields whenever all masks so far are stored."""
    try:
        with beating(partial(beat, claimed), BEAT_SECONDS, round=claimed.round_id):
            if problem is not None:
                raise problem
            yield from _compute(claimed, on_progress)
    except Lost:
        log.warning("round_lost", round=claimed.round_id, fence=claimed.fence)
    except DatabaseError:
        raise  # The row cannot be written now. When its heartbeat is stale, the sweep takes the round back.
    except StorageAway:
        if not ROUNDS.postpone(claimed.round_id, claimed.fence):
            _end_as_failed(claimed, "storage_away", f"{AWAY_FOR_LONG} Your scribbles are kept.")
    except Exception as error:
        _fail(claimed, error)


def _columns(round_id: int) -> dict[str, object]:
    """Return the columns of a round that say which engine and weights compute it, and for how many frames."""
    round_ = _ROUND.first(round_id=round_id)
    if round_ is None:
        return {}
    if round_.origin == Origin.EDITED:  # An edit of a span needs no engine.
        return {"progress_total": _count(round_)}
    engine = runner.resolve(round_.engine)
    return {"engine": engine, "weights": runner.weights_label(engine)[:80], "progress_total": _count(round_)}


def _compute(claimed: Claim, on_progress: Progress) -> Generator[None]:
    round_ = claimed.row
    if round_.cancel_requested or round_.superseded_by_id is not None:
        finish(claimed, complete=False)
        return
    # An earlier attempt may have stored masks. The round is computed from its beginning all the same, because an engine
    # cannot start in the middle of one; masks that are stored already are kept.
    known = stored_frames(claimed) if round_.attempts > 1 else set()
    if round_.origin == Origin.EDITED:
        complete = yield from _Store(claimed, known, on_progress).all(edited_masks(round_))
        finish(claimed, complete=complete)
        return
    key = SessionKey(claimed.video_id, round_.engine, runner.weights_label(round_.engine))
    session = runner.session_at(sessions, round_.video, key, line_of(round_.base_id), round_.num_objects)
    try:
        with sessions.in_use(session):
            store = _Store(claimed, known, on_progress)
            session.engine.stopping = store.stopping
            complete = yield from store.all(runner.run_round(session, round_))
            session.line.append(round_.pk)
            finish(claimed, complete=complete)
    except BaseException:
        session.engine.close()
        raise
    if known:
        session.engine.close()  # The session has masks of this attempt, but those of the earlier attempt are stored.
    else:
        sessions.put(session)


def _count(round_: Round) -> int:
    """Return how many masks a round has at most: the frames of its span in its direction that are not accepted."""
    first, last = round_.span or (0, round_.video.frame_count - 1)
    if round_.direction == Direction.FORWARD:
        first = round_.drawn[0]
    elif round_.direction == Direction.BACKWARD:
        last = round_.drawn[-1]
    return len(set(range(first, last + 1)) - accepted_frames(round_.video_id))


class _Store:
    """Stores the masks that an engine yields in one round, and checks between them whether the round is to stop.

    The first mask is stored at once. When a round stops early, everything
    that the engine has yielded is stored, so that the session is in the state that the database describes.
    """

    def __init__(self, claimed: Claim, known: set[int], on_progress: Progress) -> None:
        self._claimed, self._known, self._on_progress = claimed, known, on_progress
        self._total = claimed.row.progress_total
        self._batch: list[NewMask] = []
        self._done, self._stored_at = len(known), 0.0
        self._asked = False

    def all(self, updates: Iterator[Any]) -> Generator[None, None, bool]:
        """Store everything that the engine yields. The generator itself yields whenever all masks so far are stored.

        The value that it returns is False if the round was asked to stop before it was complete.
        """
        with closing(updates):  # type: ignore[type-var]
            for update in updates:
                if update.frame not in self._known:
                    self._batch.append(new_mask(update.frame, update.labels, update.confidence, update.engine_state))
                if self.stopping():
                    break
                if not self._batch:
                    yield
        if self._batch:  # This is done for a round that stops, too: the engine may have yielded more masks meanwhile.
            store_masks(self._claimed, self._batch)
            self._on_progress(self._done + len(self._batch), self._total)
        return not self._asked

    def stopping(self) -> bool:
        """Return whether the round is to stop. Store the masks that have been yielded so far first.

        If this was done less than BATCH_SECONDS ago, return the same answer again. Engines also call this during long
        steps.
        """
        if self._asked or time.monotonic() - self._stored_at < BATCH_SECONDS:
            return self._asked
        batch, self._batch = self._batch, []
        self._asked = not (store_masks(self._claimed, batch) if batch else not asked_to_stop(self._claimed))
        self._done += len(batch)
        self._stored_at = time.monotonic()
        self._on_progress(self._done, self._total)
        return self._asked


def _fail(claimed: Claim, error: Exception) -> None:
    """End a round that the engine could not compute, with a sentence for its author.

    An error that `runner.explain` does not know is logged with its traceback.
    """
    explained = runner.explain(error)
    if explained is None:
        log.error("round_failed", round=claimed.round_id, exc_info=error)
        explained = (
            "engine_error",
            f"The engine stopped: {type(error).__name__}: {error}. The worker's log has more. Your scribbles are kept.",
        )
    code, text = explained
    if code == "out_of_memory":
        sessions.clear()
    _end_as_failed(claimed, code, text)


def _end_as_failed(claimed: Claim, code: str, text: str) -> None:
    try:
        fail(claimed, code=code, text=text)
    except Lost:
        log.warning("round_lost", round=claimed.round_id, fence=claimed.fence)
