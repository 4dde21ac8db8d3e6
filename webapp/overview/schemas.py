"""The schemas in which REST calls describe many videos at once: cards, progress, and what a search has found."""

from __future__ import annotations

from datetime import date

from ninja import Schema

from webapp.annotation.schemas import Person
from webapp.annotation.state import person
from webapp.jobs.models import Job, JobState, Stage
from webapp.overview.cards import Page, is_late
from webapp.videos.cards import CardFields, VideoCard
from webapp.videos.models import Video


class CardJob(Schema):
    """A job of the video of a card: the frames from `first` to `last` (inclusive)."""

    id: int
    first: int
    last: int
    stage: Stage
    state: JobState
    assignee: Person | None
    reviewer: Person | None
    priority: int
    due: date | None
    late: bool  # Its due date has passed, and it is not finished.
    edition: int


class Card(CardFields):
    """A video in the list of a project, with its jobs."""

    jobs: list[CardJob]


class CardPage(Schema):
    """A part of a list of videos. `next` is the value of `after` with which the next part is read; null: this is the
    last part.
    """

    cards: list[Card]
    next: str | None
    total: int | None  # How many videos are wanted in all; null except on the first page.


class DayInfo(Schema):
    """How many of a project's present jobs were not finished at the end of a day, and how many frames these have."""

    day: date
    jobs: int
    frames: int


class ProgressInfo(Schema):
    """How far the videos of a project are that you see, without archived ones, copies and those in the trash."""

    videos: dict[str, int]  # The number of videos by the state of their import.
    frames: int
    accepted_frames: int
    jobs: dict[str, int]  # The number of jobs by "stage/state", such as "validation/new".
    late: int  # Jobs that are not finished and whose due date has passed.
    days: list[DayInfo]  # From the day before the first job was finished until today, at most the last 120 days.


class FoundProject(Schema):
    id: int
    name: str


class FoundVideo(Schema):
    id: int
    name: str
    project: int
    project_name: str
    frame_count: int
    archived: bool


class FoundObject(Schema):
    """An object whose name contains the text that was searched for, and the video that it is in."""

    number: int
    name: str
    video: int
    video_name: str
    project: int
    project_name: str


class SearchAnswer(Schema):
    projects: list[FoundProject]
    videos: list[FoundVideo]
    objects: list[FoundObject]


def card_page(page: Page, total: int | None) -> CardPage:
    """Return a page of cards. Its values are from the database, so no time is spent on validating them."""
    cards = [card(video, [_job(job) for job in page.jobs.get(video.pk, ())]) for video in page.videos]
    return CardPage.model_construct(cards=cards, next=page.next, total=total)


def card(video: Video, jobs: list[CardJob]) -> Card:
    return Card.model_construct(**vars(VideoCard.from_orm(video)), jobs=jobs)


def _job(job: Job) -> CardJob:
    return CardJob.model_construct(
        id=job.pk,
        first=job.first,
        last=job.last,
        stage=Stage(job.stage),
        state=JobState(job.state),
        assignee=None if job.assignee is None else person(job.assignee),
        reviewer=None if job.reviewer is None else person(job.reviewer),
        priority=job.priority,
        due=job.due,
        late=is_late(job),
        edition=job.edition,
    )
