"""Computes features of frames ahead, while a person draws and looks around, so that a round starts faster.

A worker computes one task at a time. So it stops as soon as somebody waits for a preview or a round, which then waits
for one frame at most.
"""

from __future__ import annotations

import structlog

from webapp.annotation.models import Round, RoundState
from webapp.annotation.previews import waiting_previews
from webapp.inference.runner import EngineSession
from webapp.prepared import Query

log = structlog.get_logger(__name__)

_QUEUED = Query(lambda: Round.objects.filter(state=RoundState.QUEUED).values_list("pk")[:1])
FRAMES = 16  # how many frames on each side of the frame that a person looks at


def prepare_around(session: EngineSession, frame: int, reach: int) -> None:
    """Compute and keep the features of frames near `frame`, the nearest first, until somebody waits for something.

    `reach` is the number of frames on each side of it.

    An error is only logged: the round that needs the frame tells its author what is wrong.
    """
    engine = session.engine
    last = len(engine.frames) - 1
    near = sorted(range(max(0, frame - reach), min(last, frame + reach) + 1), key=lambda other: abs(other - frame))
    stopping, engine.stopping = engine.stopping, _somebody_waits
    try:
        for _ in engine.prepare(near):
            pass
    except Exception as error:
        log.warning("prepare_failed", video=session.key.video_id, error=str(error), kind=type(error).__name__)
    finally:
        engine.stopping = stopping


def _somebody_waits() -> bool:
    return bool(waiting_previews()) or bool(_QUEUED.rows())
