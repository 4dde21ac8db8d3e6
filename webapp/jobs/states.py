"""The moves of jobs: who may do which action in which stage and state, and to which stage and state it leads.

    annotation/new ----------- start ---> annotation/in_progress
    annotation/rejected ------ start ---> annotation/in_progress
    annotation/in_progress --- submit --> validation/new, or annotation/completed if nobody is to review it
    validation/new ----------- start ---> validation/in_progress
    validation/* ------------- accept --> acceptance/completed
    validation/* ------------- reject --> annotation/rejected

`reopen` takes back a submission; a manager can also reopen a job that is being reviewed or is accepted. `retract` takes
back what a reviewer decided.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum

from webapp.jobs.models import Job, JobState, Stage


class Action(StrEnum):
    START = "start"
    SUBMIT = "submit"
    ACCEPT = "accept"
    REJECT = "reject"
    REOPEN = "reopen"
    RETRACT = "retract"


class Part(Enum):
    """The part that a person has in a job, which decides what they may do with it. A person may have several."""

    ASSIGNEE = "assignee"  # For a job without an assignee: every annotator.
    REVIEWER = "reviewer"  # For a job without a reviewer: everybody with the role reviewer.
    MANAGER = "manager"


@dataclass(frozen=True)
class Place:
    stage: Stage
    state: JobState


@dataclass(frozen=True)
class Move:
    action: Action
    who: frozenset[Part]
    before: frozenset[Place]
    after: Place


NEW = Place(Stage.ANNOTATION, JobState.NEW)
IN_PROGRESS = Place(Stage.ANNOTATION, JobState.IN_PROGRESS)
ANNOTATED = Place(Stage.ANNOTATION, JobState.COMPLETED)
REJECTED = Place(Stage.ANNOTATION, JobState.REJECTED)
SUBMITTED = Place(Stage.VALIDATION, JobState.NEW)
IN_REVIEW = Place(Stage.VALIDATION, JobState.IN_PROGRESS)
ACCEPTED = Place(Stage.ACCEPTANCE, JobState.COMPLETED)
PLACES = (NEW, IN_PROGRESS, ANNOTATED, REJECTED, SUBMITTED, IN_REVIEW, ACCEPTED)

ANNOTATORS = frozenset({Part.ASSIGNEE, Part.MANAGER})
REVIEWERS = frozenset({Part.REVIEWER, Part.MANAGER})

MOVES = (
    Move(Action.START, ANNOTATORS, frozenset({NEW, REJECTED}), IN_PROGRESS),
    Move(Action.START, REVIEWERS, frozenset({SUBMITTED}), IN_REVIEW),
    Move(Action.SUBMIT, ANNOTATORS, frozenset({IN_PROGRESS}), SUBMITTED),
    Move(Action.ACCEPT, REVIEWERS, frozenset({SUBMITTED, IN_REVIEW}), ACCEPTED),
    Move(Action.REJECT, REVIEWERS, frozenset({SUBMITTED, IN_REVIEW}), REJECTED),
    Move(Action.REOPEN, ANNOTATORS, frozenset({SUBMITTED, ANNOTATED}), IN_PROGRESS),
    Move(Action.REOPEN, frozenset({Part.MANAGER}), frozenset({IN_REVIEW, ACCEPTED}), IN_PROGRESS),
    Move(Action.RETRACT, REVIEWERS, frozenset({ACCEPTED, REJECTED}), IN_REVIEW),
)


def place_of(job: Job) -> Place:
    return Place(Stage(job.stage), JobState(job.state))


def is_open(job: Job) -> bool:
    """Return whether the annotator still has to work on the job."""
    return place_of(job) in (NEW, IN_PROGRESS, REJECTED)


def may_ever(action: Action, parts: Iterable[Part]) -> bool:
    """Return whether a person with these parts may do the action in some stage and state."""
    return any(move.action == action and not move.who.isdisjoint(parts) for move in MOVES)


def move_for(action: Action, parts: Iterable[Part], place: Place) -> Move | None:
    """Return the move that a person with these parts may make from `place` (a stage and a state), or None."""
    fits = (move for move in MOVES if move.action == action and place in move.before)
    return next((move for move in fits if not move.who.isdisjoint(parts)), None)


def allowed(parts: Iterable[Part], place: Place) -> list[Action]:
    """Return the actions that a person with these parts may do at `place`, in the order of `MOVES`."""
    given = frozenset(parts)
    return list(dict.fromkeys(move.action for move in MOVES if place in move.before and not move.who.isdisjoint(given)))
