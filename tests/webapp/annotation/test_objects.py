"""Tests of the objects of a video: their object ids, names and colours, and deleting them."""

from __future__ import annotations

import pytest
from django.db import transaction

from tests.webapp.conftest import draw, make_video
from webapp.accounts.models import User
from webapp.annotation.colors import MOST_OBJECTS
from webapp.annotation.models import Change, Head, Object
from webapp.annotation.objects import add_object, deleted_numbers, update_object
from webapp.problems import NotFound, Problem
from webapp.projects.models import Label, Project
from webapp.videos.models import Video


def test_numbers_go_up_and_are_never_given_again(video: Video, owner: User) -> None:
    second = add_object(video=video, author=owner)
    update_object(video=video, number=second.number, deleted=True)
    third = add_object(video=video, author=owner)
    assert (second.number, third.number) == (2, 3)
    assert deleted_numbers(video.pk) == {2}


def test_names_and_colours_have_defaults(video: Video, owner: User, project: Project) -> None:
    label = Label.objects.create(project=project, name="Shark", color="#112233")
    plain, labelled = add_object(video=video, author=owner), add_object(video=video, author=owner, label_id=label.pk)
    assert plain.name == "Object 2"
    assert plain.color != Object.objects.get(video=video, number=1).color
    assert (labelled.name, labelled.color) == ("Shark 3", "#112233")


def test_the_name_of_a_long_label_leaves_room_for_the_number(video: Video, owner: User, project: Project) -> None:
    most = Object._meta.get_field("name").max_length
    assert most is not None
    label = Label.objects.create(project=project, name=("x" * (most - 3) + " yz")[:most], color="#112233")
    Head.objects.update(next_object_number=12)
    name = add_object(video=video, author=owner, label_id=label.pk).name
    assert name == "x" * (most - 3) + " 12"


def test_labels_of_other_projects_do_not_exist_here(video: Video, owner: User) -> None:
    foreign = Label.objects.create(
        project=Project.objects.create(name="Other", created_by=owner), name="x", color="#112233"
    )
    with pytest.raises(NotFound):
        add_object(video=video, author=owner, label_id=foreign.pk)


def test_only_what_is_given_changes(video: Video) -> None:
    before = Object.objects.get(video=video)
    update_object(video=video, number=1, name="  Eel ")
    after = Object.objects.get(video=video)
    assert (after.name, after.color, after.deleted_at) == ("Eel", before.color, None)
    last = Change.objects.filter(video=video).last()
    assert last is not None
    assert last.message["object"]["name"] == "Eel"


def test_a_deleted_object_takes_no_scribbles_until_it_comes_back(video: Video, owner: User) -> None:
    update_object(video=video, number=1, deleted=True)
    with pytest.raises(Problem, match="not there any more"), transaction.atomic():
        draw(video, owner)
    update_object(video=video, number=1, deleted=False)
    assert draw(video, owner).object_id == 1


def test_it_refuses_an_empty_name_and_an_unknown_number(video: Video) -> None:
    with pytest.raises(Problem, match="needs a name"):
        update_object(video=video, number=1, name="  ")
    with pytest.raises(NotFound):
        update_object(video=video, number=9, name="x")


def test_a_video_has_so_many_objects_and_no_more_and_no_two_of_one_colour(project: Project, owner: User) -> None:
    video = make_video(project, owner)
    for _ in range(MOST_OBJECTS):
        add_object(video=video, author=owner)
    assert Object.objects.filter(video=video).values("color").distinct().count() == MOST_OBJECTS
    with pytest.raises(Problem) as problem:
        add_object(video=video, author=owner)
    assert problem.value.code == "too_many_objects"
