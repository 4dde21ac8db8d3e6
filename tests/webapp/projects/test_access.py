"""Tests of webapp/projects/access.py: the order of roles, and which projects a user gets with which role."""

import pytest
from django.contrib.auth.models import AnonymousUser

from webapp.accounts.models import User
from webapp.problems import Forbidden, NotFound
from webapp.projects.access import RANKS, allows, project_for, projects_of, role_in
from webapp.projects.models import Project, Role


def test_every_role_has_a_rank_and_no_two_share_one() -> None:
    assert set(RANKS) == set(Role.values)
    assert sorted(RANKS.values()) == list(range(len(RANKS)))


def test_a_role_allows_what_lower_roles_may() -> None:
    lowest_first = [Role.VIEWER, Role.ANNOTATOR, Role.REVIEWER, Role.MANAGER, Role.OWNER]
    for i, role in enumerate(lowest_first):
        assert [allows(role, other) for other in lowest_first] == [j <= i for j in range(5)]


def test_each_member_gets_the_project_up_to_their_role(project: Project, cast: dict[Role, User]) -> None:
    for role, user in cast.items():
        for needed in Role:
            if RANKS[role] >= RANKS[needed]:
                assert project_for(user, project.pk, needed) == project
            else:
                with pytest.raises(Forbidden, match=f"needs the role {needed.value}"):
                    project_for(user, project.pk, needed)


def test_it_hides_the_project_from_a_stranger(project: Project, stranger: User) -> None:
    with pytest.raises(NotFound):
        project_for(stranger, project.pk)
    assert role_in(stranger, project.pk) is None
    assert project not in projects_of(stranger)


def test_a_superuser_is_not_a_member_by_that(project: Project, stranger: User) -> None:
    stranger.is_superuser = stranger.is_staff = True
    stranger.save()
    with pytest.raises(NotFound):
        project_for(stranger, project.pk)


def test_the_signed_out_and_the_switched_off_see_nothing(project: Project, owner: User) -> None:
    with pytest.raises(NotFound):
        project_for(AnonymousUser(), project.pk)
    owner.is_active = False
    with pytest.raises(NotFound):
        project_for(owner, project.pk)
    assert not projects_of(owner).exists()


def test_an_id_that_does_not_exist_answers_like_one_that_is_hidden(project: Project, stranger: User) -> None:
    with pytest.raises(NotFound) as hidden:
        project_for(stranger, project.pk)
    with pytest.raises(NotFound) as absent:
        project_for(stranger, 10**9)
    assert hidden.value.text == absent.value.text
