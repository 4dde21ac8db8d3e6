"""Tests of lists in pages: their order, their filters, and the header that leads from one page to the next."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.webapp.conftest import make_video, run
from webapp.accounts.models import User
from webapp.annotation.models import Export, MaskImport, RoundScore
from webapp.jobs.models import Job, JobEvent
from webapp.overview.models import SavedView
from webapp.projects.models import Membership, Project, Role
from webapp.videos.models import Fetch, Video

ClientAs = Callable[[User | None], Client]


def walked(client: Client, address: str, query: dict[str, str]) -> list[Any]:
    """Return the rows of all pages of a list, from its first page on."""
    answer, rows = client.get(address, query), []
    for _ in range(20):
        assert answer.status_code == 200, answer.json()
        rows += answer.json()
        link = answer.headers.get("Link")
        if link is None:
            return rows
        assert link.endswith('>; rel="next"')
        answer = client.get(address + link[1:].partition(">")[0])
    raise AssertionError("The pages do not end.")


def test_the_pages_of_a_sorted_list_have_each_row_once(client_as: ClientAs, owner: User, project: Project) -> None:
    for name in ("b", "a", "Ñandú", "b", "c"):
        Video.objects.filter(pk=make_video(project, owner).pk).update(name=name)
    client, address = client_as(owner), f"/api/projects/{project.pk}/videos"
    added = [row["id"] for row in client.get(address).json()]
    assert added == sorted(added)
    assert [row["id"] for row in walked(client, address, {"limit": "2"})] == added
    assert [row["id"] for row in walked(client, address, {"limit": "2", "reverse": "true"})] == added[::-1]
    names = [row["name"] for row in walked(client, address, {"limit": "2", "order": "name"})]
    assert names == ["a", "b", "b", "c", "Ñandú"]
    assert [row["name"] for row in walked(client, address, {"q": "B", "limit": "1"})] == ["b", "b"]
    assert client.get(address, {"state": "failed"}).json() == []


def test_projects_and_members_are_filtered_and_sorted(
    client_as: ClientAs, owner: User, annotator: User, project: Project
) -> None:
    client = client_as(owner)
    others = [Project.objects.create(name=name, created_by=owner) for name in ("Zebra", "Ant", "Bee")]
    Membership.objects.bulk_create(Membership(project=each, user=owner, role=Role.MANAGER) for each in others)
    names = sorted([project.name, "Zebra", "Ant", "Bee"])
    assert [row["name"] for row in walked(client, "/api/projects", {"limit": "1"})] == names
    managed = walked(client, "/api/projects", {"limit": "1", "q": "e", "role": "manager"})
    assert [row["name"] for row in managed] == ["Bee", "Zebra"]
    newest = client.get("/api/projects", {"order": "created_at", "reverse": "true", "limit": "1"}).json()
    assert newest[0]["name"] == "Bee"
    members = f"/api/projects/{project.pk}/members"
    everybody = [row["user"]["id"] for row in client.get(members).json()]
    assert len(everybody) > 1
    assert [row["user"]["id"] for row in walked(client, members, {"limit": "1"})] == everybody
    named = client.get(members, {"q": annotator.username[1:], "role": "annotator"}).json()
    assert [row["user"]["id"] for row in named] == [annotator.pk]


def test_lists_of_what_grows_have_the_newest_first(client_as: ClientAs, owner: User, project: Project) -> None:
    client, base = client_as(owner), f"/api/projects/{project.pk}"
    MaskImport.objects.bulk_create(MaskImport(project=project, author=owner, state=s) for s in ("done", "failed") * 2)
    Fetch.objects.bulk_create(Fetch(project=project, created_by=owner, state=s) for s in ("done", "failed") * 2)
    Export.objects.bulk_create(Export(project=project, author=owner, state=s) for s in ("done", "failed") * 2)
    for address in (f"{base}/mask-imports", f"{base}/fetches", f"{base}/exports"):
        ids = [row["id"] for row in client.get(address).json()]
        assert ids == sorted(ids, reverse=True)
        assert len(ids) == 4
        assert [row["id"] for row in walked(client, address, {"limit": "3"})] == ids
        assert [row["id"] for row in client.get(address, {"before": str(ids[1])}).json()] == ids[2:]
        assert [row["id"] for row in walked(client, address, {"state": "failed", "limit": "1"})] == [ids[0], ids[2]]
        assert client.get(address, {"limit": "501"}).json()["field"] == "limit"


def test_events_scores_and_views_come_in_pages(
    client_as: ClientAs, owner: User, project: Project, video: Video
) -> None:
    client, job = client_as(owner), Job.objects.create(video=video, first=0, last=video.frame_count - 1)
    states = {"from_stage": "annotation", "from_state": "new", "to_stage": "annotation", "to_state": "in_progress"}
    JobEvent.objects.bulk_create(JobEvent(job=job, by=owner, action="start", note=note, **states) for note in "xyz")
    SavedView.objects.bulk_create(SavedView(project=project, user=owner, name=name, query="") for name in "bca")
    rounds = [run(video, owner, None).pk]
    rounds.append(run(video, owner, rounds[0]).pk)
    scored = {"j": 0.5, "f": 0.5, "objects_scored": [], "frames": {}}
    RoundScore.objects.bulk_create(RoundScore(round_id=each, **scored) for each in rounds[::-1])
    for address, field, expected in (
        (f"/api/jobs/{job.pk}/events", "note", ["x", "y", "z"]),
        (f"/api/projects/{project.pk}/views", "name", ["a", "b", "c"]),
        (f"/api/videos/{video.pk}/scores", "round", rounds),
    ):
        assert [row[field] for row in walked(client, address, {"limit": "1"})] == expected


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("kind", "value", "pk"),
    [
        ("str", "yesterday", 1),
        ("int", 3, 1),
        ("int", float("inf"), 1),
        ("float", float("nan"), 1),
        ("datetime", "2026-01-01", 1 << 63),
        ("str", "a\0", 1),
        ("list", [], 1),
    ],
)
def test_a_cursor_that_was_made_up_is_refused(
    client_as: ClientAs, owner: User, project: Project, kind: str, value: object, pk: int
) -> None:
    address = f"/api/projects/{project.pk}/videos"
    after = forged(f"{address} created_at", kind, value, pk)
    answer = client_as(owner).get(address, {"after": after})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")
