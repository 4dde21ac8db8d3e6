"""Moves jobs between stages and states. Each move is checked, logged and told to the pages of the video."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q
from django.dispatch import Signal

from webapp.accounts.models import User
from webapp.annotation import changes
from webapp.annotation.head import hold
from webapp.annotation.pins import NewPin, add_pin
from webapp.audit.entries import Thing, record
from webapp.jobs.access import job_for, parts_of, role_of
from webapp.jobs.describe import job_info
from webapp.jobs.models import Job, JobEvent
from webapp.jobs.states import (
    ANNOTATED,
    IN_PROGRESS,
    NEW,
    REJECTED,
    SUBMITTED,
    Action,
    Place,
    may_ever,
    move_for,
    place_of,
)
from webapp.notifications.kinds import Kind
from webapp.notifications.notify import notify
from webapp.prepared import Call, Query
from webapp.problems import Forbidden, Problem
from webapp.webhooks.events import Event, tell

# Sent with `job` in the transaction in which it is submitted.
submitted = Signal()
WORDS = {"in_progress": "in progress"}
PEOPLE = ("assignee", "reviewer")  # The columns of a job that name a person.
_TO_START = Query(
    lambda video_id, first, last: Job.objects.filter(
        Q(stage=NEW.stage, state=NEW.state) | Q(stage=REJECTED.stage, state=REJECTED.state),
        video_id=video_id,
        first__lte=last,
        last__gte=first,
    ),
    video_id=int,
    first=int,
    last=int,
)


@transaction.atomic
def move_job(
    *, by: User, job_id: int, action: Action, edition: int, note: str = "", pins: Sequence[NewPin] = ()
) -> Job:
    """Carry out an action on a job for the person `by`, who has seen its `edition`. `pins` come with a rejection only.

    Raises NotFound; Forbidden if the action is not for this person; Problem "job_changed" or "wrong_state" (409), whose
    field `job` has the job as it stands now; "bad_pins", and the errors of `add_pin`.
    """
    job = held_job(by, job_id)
    parts = parts_of(by, role_of(by, job.video.project_id), job)
    if not may_ever(action, parts):
        raise Forbidden(_not_for(action, job))
    check_edition(by, job, edition)
    move = move_for(action, parts, place_of(job))
    if move is None:
        text = f"This job is {shown(job)}, so it cannot be moved by {action.value}. Look at it again."
        raise Problem("wrong_state", text, 409, job=shown_to(by, job))
    if pins and action is not Action.REJECT:
        raise Problem("bad_pins", "Pins are sent with a job that is rejected. Set them one by one otherwise.")
    for pin in pins:
        _check_within(job, pin)
        add_pin(video=job.video, author=by, pin=pin, job_id=job.pk, reviews=True)
    _move(job, by, action, _after(job, move.after), note)
    _notify(job, by, action, note)
    if action is Action.SUBMIT:
        submitted.send(Job, job=job)
    return job


def _check_within(job: Job, pin: NewPin) -> None:
    outside = [frame for frame in pin.span if not job.first <= frame <= job.last]
    if outside:
        text = f"Frame {outside[0]} of a pin is outside of this job, which has the frames {job.first} to {job.last}."
        raise Problem("bad_pins", text)


def _notify(job: Job, by: User, action: Action, note: str) -> None:
    """Tell the person whose turn it is now, or whose work was judged, and what was written to them."""
    told = {
        Action.SUBMIT: (Kind.TO_REVIEW, job.reviewer_id, "waits for your review"),
        Action.REJECT: (Kind.SENT_BACK, job.assignee_id, "was sent back to you"),
        Action.ACCEPT: (Kind.ACCEPTED, job.assignee_id, "was accepted"),
    }
    if action in told:
        kind, to, text = told[action]
        project_id = job.video.project_id
        said = f": {note}" if note else "."
        notify([to], kind, f"{name_of(job)} {text}{said}", link=address_of(job), project_id=project_id, by=by)


def _after(job: Job, after: Place) -> Place:
    """Return where a move to `after` really leads: a submitted job that nobody is to review is complete at once."""
    nobody_reviews = job.reviewer_id is None and not job.video.project.review
    return ANNOTATED if after == SUBMITTED and nobody_reviews else after


def _move(job: Job, by: User, action: Action, after: Place, note: str = "") -> None:
    before = place_of(job)
    job.stage, job.state = after.stage, after.state
    if action is Action.SUBMIT:
        job.attempts += 1
        job.checked, job.flagged, job.sample = False, False, None
        job.j = job.f = job.jf = None
    save(job, by, action.value, before, note=note)


def start_by_work(*, video_id: int, by: User, frames: tuple[int, int]) -> None:
    """Start the new and rejected jobs that are assigned to `by` or to nobody, and in whose frames `by` has worked.

    `frames` is the first and the last frame of that work. The caller has locked the row of the video's head.
    """
    first, last = frames
    for job in _TO_START.rows(video_id=video_id, first=first, last=last):
        if job.assignee_id in (None, by.pk):
            _move(job, by, Action.START, IN_PROGRESS)


def start_by_work_call(video_id: int, frames: tuple[int, int]) -> Call:
    """Return the query that `start_by_work` makes before it writes."""
    return _TO_START.call(video_id=video_id, first=frames[0], last=frames[1])


def take_from(job: Job, column: str) -> None:
    """Take a job from its assignee or from its reviewer, whichever `column` names. The caller stores the job.

    A job that its assignee has begun becomes new, so that it is in the pool. Its masks stay. Whoever gets it next
    is told when it is due.
    """
    setattr(job, column, None)
    if column != "assignee":
        return
    job.due_told = False
    if place_of(job) == IN_PROGRESS:
        job.stage, job.state = NEW.stage, NEW.state


def held_job(by: User, job_id: int) -> Job:
    """Return a job that `by` sees, and lock its video's head until the transaction ends. Raises NotFound."""
    hold(job_for(by, job_id).video_id)
    return job_for(by, job_id)  # It is read again, because it may have changed before the lock was taken.


def check_edition(by: User, job: Job, edition: int) -> None:
    """Raise Problem "job_changed" if the job is not as the person saw it."""
    if job.edition != edition:
        text = f"Somebody changed this job meanwhile: it is {shown(job)} now. Look at it, then try again."
        raise Problem("job_changed", text, 409, job=shown_to(by, job))


def save(
    job: Job,
    by: User,
    action: str,
    before: Place,
    *,
    note: str = "",
    details: dict[str, int | str | None] | None = None,
) -> None:
    """Store a changed job with the next edition, log what happened, and tell the pages that have the video open.

    `before` is the stage and state that the job had before the change.
    """
    job.edition += 1
    job.save()
    JobEvent.objects.create(
        job=job,
        by=by,
        action=action,
        from_stage=before.stage,
        from_state=before.state,
        to_stage=job.stage,
        to_state=job.state,
        note=note,
        details=details or {},
    )
    places = {"before": f"{before.stage} {before.state}", "after": f"{job.stage} {job.state}"}
    told = {**places, **_with_names(job, details or {})}
    thing = Thing("job", job.pk, name_of(job))
    record(by, f"job.{action}", thing, project_id=job.video.project_id, **told, **({"note": note} if note else {}))
    changes.jobs_changed(job.video_id)
    data = {"job": job.pk, "video": job.video_id, "action": action, "stage": job.stage, "state": job.state}
    tell(job.video.project_id, Event.JOB_CHANGED, **data, assignee=job.assignee_id, by=by.pk)


def _with_names(job: Job, details: dict[str, int | str | None]) -> dict[str, int | str | None]:
    """Return the details of a change with the names of people in place of their ids, for those who read the log."""
    named = {name: getattr(job, name) for name in PEOPLE if details.get(name) is not None}
    return {**details, **{name: user.shown_name for name, user in named.items()}}


def name_of(job: Job) -> str:
    """Return what people call a job: its video, with its frames if it is a part of the video."""
    whole = (job.first, job.last) == (0, job.video.frame_count - 1)
    return job.video.name if whole else f"{job.video.name}, frames {job.first} to {job.last}"


def address_of(job: Job) -> str:
    """Return the address on the page at which a job is opened, as jobs/words.ts of the page makes it."""
    return f"/videos/{job.video_id}?job={job.pk}"


def shown_to(by: User, job: Job) -> dict[str, object]:
    """Return the JSON that describes a job to `by`, which errors have in their field `job`."""
    return job_info(by, job.pk).model_dump(mode="json")


def shown(job: Job) -> str:
    return f"{WORDS.get(job.state, job.state)} in {job.stage}"


def _not_for(action: Action, job: Job) -> str:
    if action in (Action.ACCEPT, Action.REJECT, Action.RETRACT):
        who = "a reviewer" if job.reviewer is None else job.reviewer.shown_name
        return f"This job is reviewed by {who}, or by a manager."
    whose = "an annotator" if job.assignee is None else job.assignee.shown_name
    return f"This is the job of {whose}. A manager can move it, too."
