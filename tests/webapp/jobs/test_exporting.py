"""Tests of exports of jobs: they have the frames of the jobs and no others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.test import Client

from tests.webapp.annotation.test_undo import done
from tests.webapp.conftest import make_video
from webapp.accounts.models import User
from webapp.annotation.export.jobs import _subjects_of
from webapp.annotation.models import Export
from webapp.annotation.objects import add_object
from webapp.jobs.cutting import cut_video
from webapp.jobs.models import Job
from webapp.projects.models import Project, Sees
from webapp.videos.models import Video

JSON = "application/json"


def test_jobs_are_exported_with_their_frames(
    client_as: Callable[[User | None], Client], project: Project, video: Video, owner: User
) -> None:
    second = make_video(project, owner)
    add_object(video=second, author=owner)
    for each in (video, second):
        done(each, owner, None, [0, 1, 5])
    first, last, *_ = [job.pk for job in cut_video(by=owner, video_id=video.pk, length=4)]
    other = cut_video(by=owner, video_id=second.pk, length=3)[1].pk
    client = client_as(owner)

    def ask(address: str, **body: Any) -> Any:
        answer = client.post(f"/api/{address}/exports", {"format": "coco", **body}, content_type=JSON)
        return answer.json() if answer.status_code != 201 else _frames_of(answer.json()["id"])

    assert ask(f"jobs/{last}") == {video.pk: [4, 5, 6, 7]}
    assert ask(f"jobs/{first}", options={"spans": [[2, 5]]}) == {video.pk: [2, 3]}
    assert ask(f"jobs/{first}", options={"spans": [[5, 6]]})["code"] == "no_frames"
    many = f"projects/{project.pk}/jobs"
    assert ask(many, jobs=[first, other]) == {video.pk: [0, 1, 2, 3], second.pk: [3, 4, 5]}
    assert ask(many, jobs=[first, last], format="svg") == {video.pk: [*range(8)]}
    assert ask(many, jobs=[first, other], options={"objects": [1]})["field"] == "objects"
    assert ask(many, jobs=[first], options={"spans": [[0, 1]]})["field"] == "spans"
    assert ask(many, jobs=[first, 999])["code"] == "not_found"
    Video.objects.filter(pk=second.pk).update(is_copy=True)
    assert ask(many, jobs=[first, other])["field"] == "jobs"
    assert ask(many, jobs=[other]) == {second.pk: [3, 4, 5]}


def test_who_sees_only_their_jobs_exports_those_of_one_video_at_a_time(
    client_as: Callable[[User | None], Client], project: Project, video: Video, owner: User, annotator: User
) -> None:
    second = make_video(project, owner)
    add_object(video=second, author=owner)
    jobs = []
    for each in (video, second):
        done(each, owner, None, [0, 1])
        jobs.append(cut_video(by=owner, video_id=each.pk, length=4)[0].pk)
    Job.objects.filter(pk__in=jobs).update(assignee=annotator)
    Project.objects.filter(pk=project.pk).update(sees=Sees.JOBS)
    address, client = f"/api/projects/{project.pk}/jobs/exports", client_as(annotator)
    together = client.post(address, {"format": "coco", "jobs": jobs}, content_type=JSON)
    assert together.status_code == 403
    assert "Export the jobs of one video at a time." in together.content.decode()
    assert client.post(address, {"format": "coco", "jobs": jobs[:1]}, content_type=JSON).status_code == 201


def _frames_of(export_id: int) -> dict[int, list[int]]:
    export = Export.objects.select_related("video").get(pk=export_id)
    frames = {subject.video.pk: subject.indexes for subject in _subjects_of(export)}
    assert export.progress_total == sum(map(len, frames.values()))
    return frames
