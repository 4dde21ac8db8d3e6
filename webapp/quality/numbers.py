"""Numbers about the work in a project, by person, label, video, week, object or engine; J&F over human time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Literal

from webapp.accounts.models import User
from webapp.annotation.models import Object, RoundScore
from webapp.projects.models import Label
from webapp.quality.facts import Fact, all_facts
from webapp.quality.schemas import CurvePoint, NumbersRow
from webapp.videos.models import Video

By = Literal["person", "label", "video", "week", "object", "engine"]
Key = int | str | tuple[int, int] | None
SUMS = (
    "human_seconds",
    "engine_seconds",
    "strokes",
    "painted_pixels",
    "rounds",
    "corrections",
    "accepted_frames",
    "accepted_objects",
    "rejected_objects",
    "submissions",
    "rejections",
)
MEANS = ("rounds_to_accept", "seconds_to_accept", "j", "f")
NO_LABEL = "without a label"


def numbers_of(project_id: int, by: By, since: date | None = None, until: date | None = None) -> list[NumbersRow]:
    """Sum up the facts of a project between two days (inclusive), grouped by `by`. Facts without a group are left out.

    A fact about a whole video counts for no label and no object. J, F, and the rounds and human seconds until a job was
    accepted are means. A round counts once in each group, so a round on several objects counts for each of them.
    """
    values: defaultdict[Key, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    counted: set[tuple[Key, str, int]] = set()
    key_of = _grouping(project_id, by)
    for fact in all_facts(project_id):
        if (since and (fact.day is None or fact.day < since)) or (until and (fact.day is None or fact.day > until)):
            continue
        key = key_of(fact)
        if key is None or (fact.round is not None and (key, fact.measure, fact.round) in counted):
            continue
        if fact.round is not None:
            counted.add((key, fact.measure, fact.round))
        values[key][fact.measure].append(fact.value)
    names = _names(project_id, by)
    rows = [_row(key, names.get(key, str(key)), measures) for key, measures in values.items()]
    return sorted(rows, key=lambda row: row.key if by == "week" else row.name.casefold())


def _grouping(project_id: int, by: By) -> Callable[[Fact], Key]:
    match by:
        case "person":
            return lambda fact: fact.person
        case "video":
            return lambda fact: fact.video
        case "week":
            return _week_of
        case "engine":
            return lambda fact: fact.engine or None
        case "object":
            return lambda fact: None if fact.object is None else (fact.video, fact.object)
        case "label":
            rows = Object.objects.filter(video__project=project_id).values_list("video", "number", "label")
            labels = {(video, number): label or 0 for video, number, label in rows}
            return lambda fact: None if fact.object is None else labels.get((fact.video, fact.object))


def _week_of(fact: Fact) -> str | None:
    """Return the Monday of the week of a fact."""
    return None if fact.day is None else (fact.day - timedelta(days=fact.day.weekday())).isoformat()


def _names(project_id: int, by: By) -> dict[Key, str]:
    """Return the names that are shown for the keys of rows: of persons, videos, objects or labels by their ids."""
    match by:
        case "person":
            return {user.pk: user.shown_name for user in User.objects.all()}
        case "video":
            return dict(Video.objects.filter(project=project_id).values_list("pk", "name"))
        case "object":
            objects = Object.objects.filter(video__project=project_id)
            rows = objects.values_list("video", "number", "name", "video__name")
            return {(video, number): f"{where}: {name}" for video, number, name, where in rows}
        case "label":
            return {0: NO_LABEL, **dict(Label.objects.filter(project=project_id).values_list("pk", "name"))}
        case _:
            return {}


def _row(key: Key, name: str, measures: dict[str, list[float]]) -> NumbersRow:
    sums = {measure: round(sum(measures.get(measure, ())), 1) for measure in SUMS}
    means = {measure: _mean(measures.get(measure, ())) for measure in MEANS}
    j, f = means["j"], means["f"]
    text = f"{key[0]}.{key[1]}" if isinstance(key, tuple) else str(key)
    jf = None if j is None or f is None else round((j + f) / 2, 4)
    return NumbersRow.model_validate({"key": text, "name": name, "jf": jf, **sums, **means})


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return round(sum(found) / len(found), 4) if found else None


def curve_of(project_id: int) -> list[CurvePoint]:
    """Return J&F of each scored round over the human seconds that its video had taken by then."""
    scores = RoundScore.objects.filter(round__video__project=project_id, round__video__deleted_at=None)
    rows = scores.order_by("round__video", "round__number").values_list(
        "round__video", "round__video__name", "round__number", "round__human_seconds", "j", "f"
    )
    return [
        CurvePoint(video=video, name=name, round=number, human_seconds=seconds, j=j, f=f, jf=round((j + f) / 2, 4))
        for video, name, number, seconds, j, f in rows
    ]
