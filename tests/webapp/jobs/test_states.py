"""Tests of the table of moves: every action, in every stage and state, by assignee, reviewer and manager."""

from __future__ import annotations

from itertools import product

import pytest

from webapp.jobs.states import (
    ACCEPTED,
    ANNOTATED,
    IN_PROGRESS,
    IN_REVIEW,
    NEW,
    PLACES,
    REJECTED,
    SUBMITTED,
    Action,
    Part,
    Place,
    allowed,
    may_ever,
    move_for,
)

LEADS_TO = {
    (Action.START, Part.ASSIGNEE): {NEW: IN_PROGRESS, REJECTED: IN_PROGRESS},
    (Action.START, Part.REVIEWER): {SUBMITTED: IN_REVIEW},
    (Action.START, Part.MANAGER): {NEW: IN_PROGRESS, REJECTED: IN_PROGRESS, SUBMITTED: IN_REVIEW},
    (Action.SUBMIT, Part.ASSIGNEE): {IN_PROGRESS: SUBMITTED},
    (Action.SUBMIT, Part.MANAGER): {IN_PROGRESS: SUBMITTED},
    (Action.ACCEPT, Part.REVIEWER): {SUBMITTED: ACCEPTED, IN_REVIEW: ACCEPTED},
    (Action.ACCEPT, Part.MANAGER): {SUBMITTED: ACCEPTED, IN_REVIEW: ACCEPTED},
    (Action.REJECT, Part.REVIEWER): {SUBMITTED: REJECTED, IN_REVIEW: REJECTED},
    (Action.REJECT, Part.MANAGER): {SUBMITTED: REJECTED, IN_REVIEW: REJECTED},
    (Action.REOPEN, Part.ASSIGNEE): {SUBMITTED: IN_PROGRESS, ANNOTATED: IN_PROGRESS},
    (Action.REOPEN, Part.MANAGER): dict.fromkeys((SUBMITTED, ANNOTATED, IN_REVIEW, ACCEPTED), IN_PROGRESS),
    (Action.RETRACT, Part.REVIEWER): {ACCEPTED: IN_REVIEW, REJECTED: IN_REVIEW},
    (Action.RETRACT, Part.MANAGER): {ACCEPTED: IN_REVIEW, REJECTED: IN_REVIEW},
}


@pytest.mark.parametrize(("action", "part"), list(product(Action, Part)))
def test_an_action_leads_where_the_table_says_and_is_refused_elsewhere(action: Action, part: Part) -> None:
    wanted = LEADS_TO.get((action, part), {})
    found: dict[Place, Place] = {}
    for place in PLACES:
        move = move_for(action, [part], place)
        if move is not None:
            found[place] = move.after
        assert (action in allowed([part], place)) == (move is not None)
    assert found == wanted
    assert may_ever(action, [part]) == bool(wanted)


def test_nobody_is_left_at_a_place_without_a_way_on() -> None:
    everybody = list(Part)
    assert [place for place in PLACES if not allowed(everybody, place)] == []
