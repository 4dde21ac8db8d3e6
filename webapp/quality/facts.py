"""Reads from the database what people did in a project, as single facts that `numbers.py` sums up.

Each function makes a few queries, however many videos there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from webapp.annotation.models import (
    AcceptedFrame,
    AcceptedObject,
    Head,
    HumanTime,
    Origin,
    Pin,
    Round,
    RoundScore,
    Scribble,
)
from webapp.jobs.models import Job, JobEvent, Stage


@dataclass(frozen=True)
class Fact:
    """A value of one measure, with what is known of it: who, in which video, on which object, when, by which engine."""

    measure: str
    value: float
    video: int
    person: int | None
    day: date | None
    object: int | None = None
    engine: str = ""
    round: int | None = None
    """The id of the round that the fact counts. The facts of one round, a fact for each object, count once together."""


def all_facts(project_id: int) -> Iterator[Fact]:
    """Yield everything that was measured in a project, such as the times that people worked, strokes, and scores.
    Videos in the trash do not count.
    """
    people = (_human_seconds, _versions, _strokes, _accepted, _accepted_objects, _pins, _moves)
    for part in (*people, _scores, _acceptances):
        yield from part(project_id)


def _videos(project_id: int, path: str = "video") -> Q:
    return Q(**{f"{path}__project": project_id, f"{path}__deleted_at": None})


def _made_here(rounds: QuerySet[Round]) -> QuerySet[Round]:
    """Leave out the rounds that came with a copied video: they count where they were made."""
    return rounds.exclude(created_at__lt=F("video__created_at"))


def _human_seconds(project_id: int) -> Iterator[Fact]:
    rows = HumanTime.objects.filter(_videos(project_id)).values_list("video", "author", "object_id", "day", "seconds")
    for video, author, number, day, seconds in rows:
        yield Fact("human_seconds", seconds, video, author, day, number or None)


def _versions(project_id: int) -> Iterator[Fact]:
    """Yield rounds, corrections, engine seconds and painted pixels.

    A version on the frames of somebody else's job is a correction.
    """
    assignees = _assignees(project_id)
    for made in _made_here(Round.objects.filter(_videos(project_id))).defer("error", "frames").iterator(1000):
        day, numbers = made.created_at.date(), sorted({scribble["object_id"] for scribble in made.scribbles} - {0})
        objects: list[int | None] = list(made.objects_changed or numbers) if not made.engine else list(numbers)
        theirs = _assignee_at(assignees[made.video_id], made.frame)
        corrects = theirs is not None and theirs != made.author_id
        kinds = ["corrections"] if corrects else ["rounds"] if made.origin == Origin.ROUND else []
        seconds = (made.finished_at - made.started_at).total_seconds() if made.finished_at and made.started_at else 0
        values = {"engine_seconds": seconds if made.engine else 0, "painted_pixels": made.pixels}
        for number in objects or [None]:
            for kind in kinds:
                yield Fact(kind, 1, made.video_id, made.author_id, day, number, made.engine, made.pk)
            for measure, value in values.items():
                share = value / len(objects or [None])
                yield Fact(measure, share, made.video_id, made.author_id, day, number, made.engine)


def _assignees(project_id: int) -> defaultdict[int, list[tuple[int, int, int | None]]]:
    """Return the first frame, the last frame and the assignee of each job, by video."""
    found: defaultdict[int, list[tuple[int, int, int | None]]] = defaultdict(list)
    for video, *job in Job.objects.filter(_videos(project_id)).values_list("video", "first", "last", "assignee"):
        found[video].append((job[0], job[1], job[2]))
    return found


def _assignee_at(jobs: list[tuple[int, int, int | None]], frame: int) -> int | None:
    return next((assignee for first, last, assignee in jobs if first <= frame <= last), None)


def _strokes(project_id: int) -> Iterator[Fact]:
    copied = Q(round__created_at__lt=F("video__created_at"))
    drawn = (
        Scribble.objects.filter(_videos(project_id), deleted_at=None)
        .exclude(copied)
        .annotate(day=TruncDate("created_at"))
    )
    rows = drawn.values("video", "author", "object_id", "day").annotate(count=Count("pk")).order_by()
    for row in rows:
        yield Fact("strokes", row["count"], row["video"], row["author"], row["day"], row["object_id"] or None)


def _accepted(project_id: int) -> Iterator[Fact]:
    """Yield how many frames were accepted, by video, day, engine and the person who made the accepted masks.

    Masks that came with a copied video do not count.
    """
    rows = (
        AcceptedFrame.objects.filter(_videos(project_id))
        .exclude(mask__round__created_at__lt=F("video__created_at"))
        .annotate(day=TruncDate("created_at"), maker=F("mask__round__author"), engine=F("mask__round__engine"))
        .values("video", "maker", "engine", "day")
        .annotate(count=Count("pk"))
        .order_by()
    )
    for row in rows:
        yield Fact("accepted_frames", row["count"], row["video"], row["maker"], row["day"], engine=row["engine"])


def _accepted_objects(project_id: int) -> Iterator[Fact]:
    """Yield how many masks of single objects are accepted at the heads of videos, by video, object, round and day.

    They are those of the person who made the mask. Masks that came with a copied video do not count.
    """
    standing = _on_lines(project_id)
    rows = (
        AcceptedObject.objects.filter(_videos(project_id, "instance__video"), instance__deleted_at=None)
        .exclude(mask__round__created_at__lt=F("instance__video__created_at"))
        .annotate(day=TruncDate("created_at"), maker=F("mask__round__author"), engine=F("mask__round__engine"))
        .values_list("instance__video", "instance__number", "mask__round", "maker", "engine", "day")
        .annotate(count=Count("pk"))
        .order_by()
    )
    for video, number, round_id, maker, engine, day, count in rows:
        if round_id in standing:
            yield Fact("accepted_objects", count, video, maker, day, number, engine)


def _on_lines(project_id: int) -> set[int]:
    """Return the ids of the rounds on the lines of the heads of those videos in which objects were accepted singly."""
    accepted = AcceptedObject.objects.filter(_videos(project_id, "instance__video")).values("instance__video")
    bases = dict(Round.objects.filter(video__in=accepted).order_by().values_list("pk", "base_id"))
    heads = Head.objects.filter(video__in=accepted).values_list("round_id", flat=True)
    found: set[int] = set()
    for at in heads:
        while at is not None:
            found.add(at)
            at = bases[at]
    return found


def _pins(project_id: int) -> Iterator[Fact]:
    """Yield pins about objects, for the assignee of the job that the frame is in, without those that they put there
    themselves.
    """
    assignees = _assignees(project_id)
    pins = Pin.objects.filter(_videos(project_id), object_id__isnull=False).order_by()
    for video, frame, number, author, at in pins.values_list("video", "frame", "object_id", "author", "created_at"):
        person = _assignee_at(assignees[video], frame)
        if author != person:
            yield Fact("rejected_objects", 1, video, person, at.date(), number)


def _moves(project_id: int) -> Iterator[Fact]:
    """Yield submissions and rejections, for the assignee of the job."""
    names = {"submit": "submissions", "reject": "rejections", "hold": "rejections"}
    events = JobEvent.objects.filter(_videos(project_id, "job__video"), action__in=names)
    for action, video, assignee, at in events.values_list("action", "job__video", "job__assignee", "at"):
        yield Fact(names[action], 1, video, assignee, at.date())


def _scores(project_id: int) -> Iterator[Fact]:
    """Yield J and F of each object at the head of each video, for the assignee of the job that the frame is in.

    Without an assignee they are for the author of the round.
    """
    assignees = _assignees(project_id)
    heads = RoundScore.objects.filter(_videos(project_id, "round__video"), round__video__head__round=F("round"))
    for score in heads.select_related("round"):
        video, day = score.round.video_id, score.round.created_at.date()
        for frame, number, j, f in score.cells:
            person = _assignee_at(assignees[video], frame) or score.round.author_id
            yield Fact("j", j, video, person, day, number, score.round.engine)
            yield Fact("f", f, video, person, day, number, score.round.engine)


def _acceptances(project_id: int) -> Iterator[Fact]:
    """Yield how many rounds and human seconds each accepted job took.

    The seconds are those of the whole video, multiplied by the share of its frames that the job has.
    """
    accepted = Job.objects.filter(_videos(project_id), stage=Stage.ACCEPTANCE)
    times = HumanTime.objects.filter(_videos(project_id)).values("video").annotate(total=Sum("seconds")).order_by()
    seconds = dict(times.values_list("video", "total"))
    made: defaultdict[int, list[int]] = defaultdict(list)
    rounds = _made_here(
        Round.objects.filter(_videos(project_id), origin=Origin.ROUND, video__in=accepted.values("video"))
    )
    for video, frame in rounds.values_list("video", "frame"):
        made[video].append(frame)
    for job in accepted.select_related("video"):
        day, frames = job.updated_at.date(), job.last - job.first + 1
        count = sum(job.first <= frame <= job.last for frame in made[job.video_id])
        share = frames / max(job.video.frame_count, 1)
        yield Fact("rounds_to_accept", count, job.video_id, job.assignee_id, day)
        yield Fact("seconds_to_accept", seconds.get(job.video_id, 0) * share, job.video_id, job.assignee_id, day)
