"""Test of who sees a video."""

from __future__ import annotations

from itertools import product

import pytest

from tests.webapp.conftest import make_video
from webapp.accounts.models import User
from webapp.jobs.models import Job
from webapp.problems import Forbidden, NotFound
from webapp.projects.access import allows
from webapp.projects.deletable import put_into_trash
from webapp.projects.models import Membership, Project, Role, Sees
from webapp.videos.access import video_and_role, videos_of


@pytest.mark.django_db
def test_one_video_is_seen_by_those_whose_list_has_it(project: Project, owner: User) -> None:
    person = User.objects.create(username="wanda")
    member = Membership.objects.create(project=project, user=person, role=Role.VIEWER)
    plain, with_job, copy, own_copy, trashed = (make_video(project, owner) for _ in range(5))
    for video in (copy, own_copy):
        video.is_copy = True
        video.save()
    for video in (with_job, own_copy):
        Job.objects.create(video=video, first=0, last=7, assignee=person)
    put_into_trash(trashed, owner)
    seen: dict[tuple[str, str], int] = {}
    for role, sees in product(Role, Sees):
        Membership.objects.filter(pk=member.pk).update(role=role)  # A person who is saved as a viewer loses the jobs.
        project.sees = sees
        project.save()
        listed = set(videos_of(person))
        seen[role, sees] = len(listed)
        for video in (plain, with_job, copy, own_copy, trashed):
            try:
                found = video_and_role(person, video.pk, Role.ANNOTATOR)
            except NotFound:
                assert video not in listed
            except Forbidden:
                assert video in listed
                assert role == Role.VIEWER
            else:
                assert video in listed
                assert found == (video, role)
                assert allows(role, Role.ANNOTATOR)
    assert seen[Role.ANNOTATOR, Sees.JOBS] == 2
    assert seen[Role.VIEWER, Sees.JOBS] == 3
    assert seen[Role.REVIEWER, Sees.JOBS] == 4
    member.delete()
    with pytest.raises(NotFound):
        video_and_role(person, plain.pk)
