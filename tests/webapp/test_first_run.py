"""Tests of webapp/first_run.py, which creates the owner, if there are no users yet, and the sample project."""

import pytest
from django.test import Client

from webapp import first_run
from webapp.accounts.models import User
from webapp.projects.models import Project, RemovedLabel, Role
from webapp.videos.refusal import Refused
from webapp.videos.sample import clip


def test_the_owner_is_made_once_and_gets_in_by_a_link(db: None) -> None:
    owner = first_run.make_owner()
    assert owner is not None
    assert owner.is_superuser
    assert first_run.make_owner() is None
    link = first_run.way_in()
    assert link is not None
    client = Client()
    client.get(link)
    assert client.get("/api/me").json()["username"] == "owner"


def test_no_link_is_printed_for_an_owner_who_has_a_password(db: None) -> None:
    owner = first_run.make_owner()
    assert owner is not None
    owner.set_password("a long enough one")
    owner.save()
    assert first_run.way_in() is None


def test_no_owner_is_made_where_there_are_people(owner: User) -> None:
    assert first_run.make_owner() is None
    assert first_run.way_in() is None


def test_a_sample_that_cannot_be_stored_is_said_and_stops_nothing(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(**anything: object) -> None:
        raise Refused("disk_full", "The disk is nearly full.")

    monkeypatch.setattr(clip, "add_sample_clip", full_disk)
    said: list[str] = []
    project = first_run.make_sample(owner, said.append)
    assert "The disk is nearly full." in said[0]
    assert Project.objects.get() == project
    assert [label.name for label in project.labels.all()] == ["Koi", "Leaf"]
    assert not RemovedLabel.objects.exists(), "the trash of a new site is empty"
    assert project.memberships.get().role == Role.OWNER
