"""The people who have a video open, in this process and, in team mode, in the other web processes."""

from __future__ import annotations

import time
from typing import Any

from webapp.annotation.schemas import Person
from webapp.live.protocol import Presence, Viewer

OTHERS_LAST = 30.0  # seconds after which the viewers of a silent process are forgotten


class PresenceBoard:
    """The viewers of one video, by connection.

    A person with several connections is shown once, with the frame of the connection on which they moved last.
    """

    def __init__(self) -> None:
        self._here: dict[object, tuple[float, Viewer]] = {}
        self._elsewhere: dict[str, tuple[float, list[tuple[float, Viewer]]]] = {}

    def set_presence(self, connection: object, person: Person, frame: int) -> None:
        self._here[connection] = (time.time(), Viewer(person=person, frame=frame))

    def leave(self, connection: object) -> None:
        self._here.pop(connection, None)

    def own(self) -> list[list[Any]]:
        """Return the viewers of this process in the form in which other processes get them."""
        return [[looked, viewer.model_dump()] for looked, viewer in self._here.values()]

    def hear(self, process: str, viewers: list[list[Any]]) -> bool:
        """Store the viewers of another process. Returns True if that process was unknown."""
        new = process not in self._elsewhere
        self._elsewhere[process] = (
            time.monotonic(),
            [(float(looked), Viewer.model_validate(viewer)) for looked, viewer in viewers],
        )
        return new

    def message(self) -> Presence:
        """Return the message that lists all viewers, sorted by name."""
        fresh = [seen for heard, seen in self._elsewhere.values() if time.monotonic() - heard < OTHERS_LAST]
        looks = sorted([*self._here.values(), *(look for seen in fresh for look in seen)], key=lambda look: look[0])
        people = {viewer.person.id: viewer for _, viewer in looks}
        return Presence(type="presence", viewers=sorted(people.values(), key=lambda viewer: viewer.person.name))
