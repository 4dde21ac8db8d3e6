"""Tells the engine of a session what people decided: which masks are accepted, which objects are locked or absent."""

from __future__ import annotations

from typing import Any, TypeAlias

from webapp.annotation.absence import decided_of
from webapp.annotation.accepted import accepted_masks
from webapp.annotation.accepted_objects import accepted_objects
from webapp.annotation.codec import decode
from webapp.annotation.models import Mask
from webapp.inference.sessions import Session

# The session of an engine. Only the runner imports the type of engines.
EngineSession: TypeAlias = "Session[Any]"


def tell_decisions(session: EngineSession) -> None:
    """Bring the locked frames and objects and the absent spans of a session up to date with the database."""
    _lock_accepted(session)
    _lock_accepted_objects(session)
    _constrain(session)


def _lock_accepted(session: EngineSession) -> None:
    accepted = accepted_masks(session.key.video_id)
    for frame in [frame for frame, mask in session.locked.items() if accepted.get(frame) != mask]:
        session.engine.unlock(frame)
        del session.locked[frame]
    for frame, mask_id in accepted.items():
        if frame not in session.locked:
            session.engine.lock(frame, decode(bytes(Mask.objects.values_list("data", flat=True).get(pk=mask_id))))
            session.locked[frame] = mask_id


def _lock_accepted_objects(session: EngineSession) -> None:
    """Lock, in each frame that is not accepted, the objects that are accepted singly there at the newest round of a
    session.
    """
    engine, locked = session.engine, session.locked_objects
    wanted = {
        (frame, number): mask_id
        for frame, masks in accepted_objects(session.key.video_id, session.line[-1] if session.line else None).items()
        for number, mask_id in masks.items()
        if frame not in session.locked and number <= engine.num_objects
    }
    for frame, number in [key for key, mask_id in locked.items() if wanted.get(key) != mask_id]:
        if frame not in session.locked:
            engine.unlock(frame, [number])
        del locked[frame, number]
    new: dict[tuple[int, int], list[int]] = {}
    for (frame, number), mask_id in wanted.items():
        if (frame, number) not in locked:
            new.setdefault((frame, mask_id), []).append(number)
            locked[frame, number] = mask_id
    for (frame, mask_id), numbers in new.items():
        engine.lock(frame, decode(bytes(Mask.objects.values_list("data", flat=True).get(pk=mask_id))), numbers)


def _constrain(session: EngineSession) -> None:
    """Tell an engine which objects are locked, and in which frames objects are absent."""
    engine, last = session.engine, len(session.engine.frames) - 1
    decided = [row for row in decided_of(session.key.video_id) if row[0] <= engine.num_objects]
    engine.freeze(number for number, locked, _ in decided if locked)
    spans = {number: absent for number, _, absent in decided if absent}
    for number in session.absent.keys() | spans.keys():
        if session.absent.get(number) != spans.get(number):
            engine.present(number, 0, last)
            for first, end in spans.get(number, ()):
                engine.absent(number, first, end)
    session.absent = spans
