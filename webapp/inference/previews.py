"""Answers previews: computes the mask of one frame with the session that the worker keeps for the video.

The session itself does not change.
"""

from __future__ import annotations

from typing import NamedTuple

import structlog
from django.db import DatabaseError

from segmentation.types import Click, Interaction
from webapp.annotation.codec import TYPE_PREVIEW, PackedMask, encode, pack
from webapp.annotation.masks import line_of
from webapp.annotation.models import Head, Preview, Round
from webapp.annotation.painted_later import painted_later
from webapp.annotation.previews import NOTHING, answer_preview, waiting_previews
from webapp.annotation.rounds import ACTIVE
from webapp.annotation.scribbles import for_round, waiting
from webapp.inference import runner
from webapp.inference.ahead import FRAMES, prepare_around
from webapp.inference.sessions import SessionKey
from webapp.inference.work import sessions
from webapp.prepared import Query

log = structlog.get_logger(__name__)
_ASKED = Query(
    lambda preview_id: Preview.objects.select_related("video__project", "author").filter(pk=preview_id), preview_id=int
)
_HEAD = Query(lambda video_id: Head.objects.filter(video_id=video_id), video_id=int)
_ACTIVE = Query(
    lambda video_id: Round.objects.filter(video_id=video_id, state__in=ACTIVE).values_list("pk")[:1], video_id=int
)


class Place(NamedTuple):
    """A session, a frame on which a person draws, and on how many frames on each side of it features are wanted."""

    session: runner.EngineSession
    frame: int
    reach: int


def answer_waiting() -> None:
    """Answer every preview that somebody waits for. A worker does this before a round, which takes longer.

    Then features of the frames around that of the last preview are computed, until somebody waits for something.
    """
    last = answer_all()
    if last is not None:
        prepare_around(*last)


def answer_all() -> Place | None:
    """Answer every preview that somebody waits for. Return the place of the last one that has a session."""
    last = None
    for preview_id in waiting_previews():
        try:
            last = answer(preview_id) or last
        except DatabaseError:
            raise
        except Exception as error:  # The round itself tells what is wrong; a preview only shows nothing.
            log.warning("preview_failed", preview=preview_id, error=str(error), kind=type(error).__name__)
            answer_preview(preview_id, NOTHING)
    return last


def answer(preview_id: int) -> Place | None:
    """Compute a preview and store the answer. Return the session, which is in the cache, and the frame.

    If the person has drawn nothing on the frame yet, the answer is empty, and the session is only opened, so that the
    first stroke does not wait for it. While a round of the video waits or runs, the answer is empty, too, and the
    result is None. It is also None if the row of the preview is gone.
    """
    asked = _ASKED.first(preview_id=preview_id)
    if asked is None:  # The person has asked for a newer one meanwhile.
        return None
    head = _HEAD.rows(video_id=asked.video_id)[0]
    interaction = _interaction(asked, head)
    drawn = bool(interaction.scribbles or interaction.clicks or interaction.boxes)
    active = bool(_ACTIVE.rows(video_id=asked.video_id))
    if active or not drawn:
        answer_preview(preview_id, NOTHING)
    if active:
        return None
    engine = runner.resolve(asked.engine)
    key = SessionKey(asked.video_id, engine, runner.weights_label(engine))
    session = runner.session_at(sessions, asked.video, key, line_of(head.round_id), head.next_object_number - 1)
    if not drawn:
        sessions.put(session)
        return Place(session, asked.frame, 0)
    try:
        update = session.engine.preview(interaction)
    except BaseException:
        session.engine.close()
        raise
    sessions.put(session)
    mask = PackedMask(0, 0, asked.frame, update.confidence, encode(update.labels))
    answer_preview(preview_id, pack([mask], TYPE_PREVIEW))
    return Place(session, asked.frame, FRAMES)


def _interaction(asked: Preview, head: Head) -> Interaction:
    """Return the waiting scribbles, clicks and boxes of a person on a frame, together with the click of the request."""
    waits = waiting(asked.video, asked.author, [asked.frame])
    drawn = runner.interaction(asked.frame, for_round(waits, painted_later(head, waits)))
    if asked.click is None:
        return drawn
    x, y = asked.click["point"]
    click = Click(asked.click["object"], (x, y), asked.click["positive"])
    return Interaction(asked.frame, drawn.scribbles, (*drawn.clicks, click), drawn.boxes)
