"""Tests of invitations: links, accounts made from them, lists of many people in one file, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.conftest import PASSWORD, make_user
from webapp.accounts.models import User
from webapp.audit.models import AuditEntry
from webapp.problems import Problem
from webapp.projects.invitations import Guest, invite_by_link, invite_many, join
from webapp.projects.members import change_role, remove
from webapp.projects.models import Invitation, Membership, Project, Role

ClientAs = Callable[[User | None], Client]
JSON = "application/json"
FORM = {"username": "ada", "first_name": "Ada", "last_name": "Byron", "password": PASSWORD}


def a_link(by: User, project: Project, **guest: str) -> str:
    return invite_by_link(by=by, project_id=project.pk, guest=Guest(Role.ANNOTATOR, **guest))[1]


def test_who_has_no_account_makes_one_and_joins_once(client_as: ClientAs, project: Project, manager: User) -> None:
    body = {"role": "annotator", "email": "ada@example.org", "first_name": "Ada", "last_name": "Byron"}
    made = client_as(manager).post(f"/api/projects/{project.pk}/invitations", body, content_type=JSON).json()
    listed = client_as(manager).get(f"/api/projects/{project.pk}/invitations").json()
    assert listed == [{name: value for name, value in made.items() if name not in ("link", "mailed")}]
    assert made["link"].rpartition("/")[2] not in str(list(Invitation.objects.values()))
    client = Client(enforce_csrf_checks=True)
    page = client.get(made["link"])
    assert b"Join Reef" in page.content
    assert b'value="Byron"' in page.content
    token = {"csrfmiddlewaretoken": page.context["csrf_token"]}
    assert client.post(made["link"], FORM | token).headers["location"] == f"/projects/{project.pk}"
    assert client.get("/api/me").json()["first_name"] == "Ada"
    user = User.objects.get(username="ada")
    assert (user.email, user.shown_name, user.is_staff) == ("ada@example.org", "Ada Byron", False)
    assert Membership.objects.get(user=user).role == "annotator"
    assert client.get(made["link"]).status_code == 410
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"invitation.make", "member.add"} <= actions


def test_who_is_signed_in_joins_with_the_own_account(
    client_as: ClientAs, project: Project, manager: User, stranger: User
) -> None:
    client, link = client_as(stranger), a_link(manager, project)
    assert b"Join as Stranger" in client.get(link).content
    assert client.post(link).status_code == 302
    assert Membership.objects.get(user=stranger, project=project).role == "annotator"
    assert User.objects.count() == 3


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"username": " "}, "Choose a user name."),
        ({"username": "MANAGER"}, "This user name is taken"),
        ({"username": "a b"}, "Enter a valid username"),
        ({"password": "12345678"}, "This password is"),
    ],
)
def test_what_is_wrong_in_the_form_is_said_and_nothing_is_made(
    project: Project, manager: User, wrong: dict[str, str], said: str
) -> None:
    link, client = a_link(manager, project), Client()
    answer = client.post(link, FORM | wrong)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert User.objects.count() == 2
    assert client.get(link).status_code == 200


def test_old_withdrawn_and_replaced_invitations_do_not_work(
    client_as: ClientAs, project: Project, manager: User
) -> None:
    replaced = a_link(manager, project, email="ada@example.org")
    newest = a_link(manager, project, email="ADA@example.org")
    assert Client().get(replaced).status_code == 410
    assert Client().get(newest).status_code == 200
    number = Invitation.objects.get().pk
    assert client_as(manager).delete(f"/api/invitations/{number}").status_code == 204
    assert Client().get(newest).status_code == 410
    old = a_link(manager, project)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(old).status_code == 410


def test_a_manager_makes_nobody_an_owner(client_as: ClientAs, project: Project, manager: User) -> None:
    client, address = client_as(manager), f"/api/projects/{project.pk}/invitations"
    assert client.post(address, {"role": "owner"}, content_type=JSON).status_code == 403
    text = {"text": "email,role\na@example.org,owner\n"}
    assert client.post(f"{address}/csv", text, content_type=JSON).status_code == 403
    bad = client.post(address, {"role": "viewer", "email": "nobody"}, content_type=JSON)
    assert (bad.status_code, bad.json()["field"]) == (400, "email")
    assert not Invitation.objects.exists()


def test_a_file_invites_many_and_leaves_out_members(
    client_as: ClientAs, project: Project, manager: User, annotator: User, stranger: User
) -> None:
    for user in (annotator, stranger):
        User.objects.filter(pk=user.pk).update(email=f"{user.username}@example.org")
    text = "\ufeffEmail;Role;First_name\r\nada@example.org;Reviewer;Ada\r\n\r\nStranger@example.org;viewer;\r\n"
    text += "annotator@example.org;viewer;\r\n"
    answer = client_as(manager).post(f"/api/projects/{project.pk}/invitations/csv", {"text": text}, content_type=JSON)
    lines = answer.json()
    found = [(line["number"], line["outcome"], line["link"] is not None) for line in lines]
    assert found == [(2, "invited", True), (4, "invited", True), (5, "member", False)]
    made = Invitation.objects.order_by("pk").values_list("email", "role", "first_name")
    assert list(made) == [("ada@example.org", "reviewer", "Ada"), ("Stranger@example.org", "viewer", "")]
    assert not Membership.objects.filter(user=stranger, project=project).exists()  # Anybody can claim an address.
    assert Membership.objects.get(user=annotator).role == "annotator"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "The first line must name the columns"),
        ("name,role\nx,viewer\n", "The first line must name the columns"),
        ("email,role\n\n", "names nobody"),
        ("email,role\na@b.org,viewer\nA@b.org,viewer\n", "Line 3: A@b.org stands in line 2 already."),
        ("email,role\nab,viewer\n", "Line 2: 'ab' is no mail address."),
        ("email,role\na@b.org,boss\n", "Line 2: 'boss' is no role."),
        ("email,role\na@b.org,viewer,x\n", "Line 2: it has more cells than the first line."),
        ("email,role\n" + "".join(f"a{n}@b.org,viewer\n" for n in range(5000)), "The file has 5,000 lines"),
        ("email,role\n" + "x,viewer\n" * 50, "And 30 more."),
        ("email,role\n" + "x" * 200_000 + ",viewer\n", "field larger than field limit"),
    ],
    ids=range(10),
)
def test_a_wrong_file_invites_nobody_and_names_the_lines(project: Project, manager: User, text: str, said: str) -> None:
    with pytest.raises(Problem) as refused:
        invite_many(by=manager, project_id=project.pk, text=text)
    assert said in refused.value.text
    assert refused.value.code == "bad_csv"
    assert not Invitation.objects.exists()


def test_who_may_no_longer_invite_has_no_open_invitations(
    client_as: ClientAs, project: Project, owner: User, manager: User, stranger: User
) -> None:
    mine = a_link(owner, project)
    for role in (Role.VIEWER, None):
        theirs = a_link(manager, project)
        if role is None:
            remove(by=owner, project_id=project.pk, user_id=manager.pk)
        else:
            change_role(by=owner, project_id=project.pk, user_id=manager.pk, role=role)
            change_role(by=owner, project_id=project.pk, user_id=manager.pk, role=Role.MANAGER)
        assert client_as(stranger).get(theirs).status_code == 410
    assert client_as(stranger).get(mine).status_code == 200


def test_a_manager_who_was_an_owner_keeps_the_invitations_of_lower_roles(project: Project, owner: User) -> None:
    other = make_user("other")
    Membership.objects.create(project=project, user=other, role=Role.OWNER)
    for role in (Role.OWNER, Role.VIEWER):
        invite_by_link(by=other, project_id=project.pk, guest=Guest(role))
    change_role(by=owner, project_id=project.pk, user_id=other.pk, role=Role.MANAGER)
    assert [row.role for row in Invitation.objects.all()] == [Role.VIEWER]


@pytest.mark.parametrize("change", ["demoted", "removed", "inactive"])
def test_nobody_joins_by_an_invitation_whose_maker_may_no_longer_invite(
    client_as: ClientAs, project: Project, owner: User, manager: User, stranger: User, change: str
) -> None:
    invitation, link = invite_by_link(by=manager, project_id=project.pk, guest=Guest(Role.REVIEWER))
    member = Membership.objects.filter(user=manager, project=project)
    match change:
        case "demoted":
            member.update(role=Role.REVIEWER)
        case "removed":
            member.delete()
        case _:
            User.objects.filter(pk=manager.pk).update(is_active=False)
    with pytest.raises(Problem) as refused:
        join(invitation=invitation, user=stranger)
    assert (refused.value.code, refused.value.status) == ("link_used", 409)
    assert not Membership.objects.filter(user=stranger, project=project).exists()
    assert Invitation.objects.get().used_at is None
    assert client_as(owner).get(f"/api/projects/{project.pk}/invitations").json() == []
    assert client_as(stranger).get(link).status_code == 410


def test_a_member_who_opens_a_link_leaves_it_open(
    client_as: ClientAs, project: Project, manager: User, annotator: User, stranger: User
) -> None:
    link = a_link(manager, project)
    assert client_as(annotator).post(link).status_code == 302
    assert client_as(stranger).post(link).status_code == 302
    assert Membership.objects.filter(user=stranger, project=project).exists()


def test_a_file_may_end_its_lines_with_a_carriage_return_alone(project: Project, manager: User) -> None:
    lines = invite_many(by=manager, project_id=project.pk, text="email,role\ra@b.org,viewer\r")
    assert [(line.number, line.email) for line in lines] == [(2, "a@b.org")]
