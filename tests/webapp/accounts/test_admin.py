"""Tests of webapp/accounts/admin.py: who can sign in to Django's admin site, and what can be done there."""

import html
from functools import partial
from typing import Any

import pytest
from django.test import Client

from tests.conftest import PASSWORD
from webapp.accounts.models import User
from webapp.accounts.signals import deactivating
from webapp.audit.models import AuditEntry
from webapp.jobs.models import Job
from webapp.notifications.kinds import Kind
from webapp.notifications.models import Notification
from webapp.notifications.notify import notify
from webapp.projects.models import Membership, Project
from webapp.videos.models import Video


def test_only_a_superuser_gets_in(owner: User) -> None:
    client = Client()
    client.force_login(owner)
    owner.is_staff = True  # Django admits users with `is_staff` to the admin site, Maskwright only superusers.
    owner.save()
    assert client.get("/admin/").status_code == 302
    owner.is_superuser = True
    owner.save()
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/accounts/user/add/").status_code == 200
    assert client.get("/admin/projects/project/").status_code == 200
    assert client.get("/admin/auth/group/").status_code == 404, "nothing asks for Django's groups"


def test_a_superuser_makes_sign_in_links(owner: User, stranger: User) -> None:
    owner.is_superuser = True
    owner.save()
    client = Client()
    client.force_login(owner)
    body = {"action": "make_sign_in_links", "_selected_action": [stranger.pk]}
    page = client.post("/admin/accounts/user/", body, follow=True).content.decode()
    address = page.split("http://testserver")[1].split()[0].split("<")[0]
    other = Client()
    other.get(address)
    assert other.get("/api/me").json()["username"] == "stranger"


def test_people_sign_in_to_it_on_the_page_of_the_site(owner: User) -> None:
    client = Client()
    assert (
        client.get("/admin/accounts/user/", follow=False).headers["location"]
        == "/admin/login/?next=/admin/accounts/user/"
    )
    door = "/admin/login/?next=/admin/accounts/user/"
    assert client.get(door).headers["location"] == "/sign-in?next=%2Fadmin%2Faccounts%2Fuser%2F"
    assert client.post(door, {"username": "owner", "password": PASSWORD}).status_code == 302
    assert client.get("/api/me").status_code == 401, "the admin site takes no password"
    client.force_login(owner)
    answer = client.get(door)
    assert answer.status_code == 403, "signing in again would lead here again"
    assert b"no administrator" in answer.content


@pytest.fixture
def admin_client(stranger: User) -> Client:
    """Return a client of the user `stranger`, who is made the only administrator."""
    User.objects.filter(pk=stranger.pk).update(is_superuser=True)
    client = Client()
    client.force_login(stranger)
    return client


def edit(client: Client, user: User, **changes: str) -> Any:
    body = {"username": user.username, "name": user.name, "email": "", **changes}
    rows = {"TOTAL_FORMS": 0, "INITIAL_FORMS": 0, "MIN_NUM_FORMS": 0, "MAX_NUM_FORMS": 1000}
    body |= {f"outside_identities-{name}": str(count) for name, count in rows.items()}
    return client.post(f"/admin/accounts/user/{user.pk}/change/", body)


def test_the_only_owner_of_a_project_stays_active_until_it_has_another_one(
    admin_client: Client, owner: User, project: Project, viewer: User, annotator: User, video: Video
) -> None:
    Job.objects.create(video=video, first=0, last=1, assignee=annotator)
    body = {"action": "deactivate", "_selected_action": [owner.pk, annotator.pk]}
    said = admin_client.post("/admin/accounts/user/", body, follow=True).content.decode()
    why = f"{project.name} would have no active owner. Its viewers can take it over: Viewer (viewer)."
    assert f"Owner stays active. {why}" in html.unescape(said)
    assert why in html.unescape(edit(admin_client, owner).content.decode()), "the form refuses it, too"
    assert not User.objects.get(pk=annotator.pk).is_active
    assert not Job.objects.filter(assignee=annotator).exists(), "their unfinished jobs are back in the pool"
    Membership.objects.filter(user=viewer).update(role="owner")
    assert edit(admin_client, owner).status_code == 302
    assert not User.objects.get(pk=owner.pk).is_active
    assert edit(admin_client, owner, name="Gone").status_code == 302, "the account can be changed as it is"


def test_each_selected_user_is_deactivated_in_a_transaction_of_their_own(
    admin_client: Client, annotator: User, viewer: User
) -> None:
    """In one transaction, a second user's projects would be locked after the heads of the first user's videos."""

    def fail(sender: Any, *, user: User, **_: Any) -> list[str]:
        if user == viewer:
            raise RuntimeError("the second one fails")
        return []

    body = {"action": "deactivate", "_selected_action": [annotator.pk, viewer.pk]}
    deactivating.connect(fail)
    try:
        with pytest.raises(RuntimeError, match="the second one fails"):
            admin_client.post("/admin/accounts/user/", body)
    finally:
        deactivating.disconnect(fail)
    active = User.objects.filter(is_active=True)
    assert (annotator in active, viewer in active) == (False, True)


def test_a_person_is_deactivated_and_not_deleted(
    admin_client: Client, owner: User, project: Project, viewer: User, stranger: User
) -> None:
    Membership.objects.filter(user=viewer).update(role="owner")
    Client().post("/api/sign-in", {"username": "owner", "password": PASSWORD}, "application/json")
    page = admin_client.get(f"/admin/accounts/user/{owner.pk}/change/").content.decode()
    assert "1 projects" in page
    assert "audit entries" in page
    assert "Deactivate the account instead" in page
    assert admin_client.post(f"/admin/accounts/user/{owner.pk}/delete/", {"post": "yes"}).status_code == 403
    body = {"action": "delete_selected", "_selected_action": [owner.pk], "post": "yes"}
    admin_client.post("/admin/accounts/user/", body)
    assert User.objects.get(pk=owner.pk).is_active, "the action of Django does not delete the account"
    body = {"action": "deactivate", "_selected_action": [owner.pk, stranger.pk]}
    said = admin_client.post("/admin/accounts/user/", body, follow=True).content.decode()
    assert "Owner cannot sign in any more" in said
    assert "Stranger stays" in said
    assert list(User.objects.filter(is_active=True)) == [stranger, viewer]
    entry = AuditEntry.objects.get(action="user.deactivate")
    assert (entry.who_name, entry.thing_name) == ("stranger", "owner")


def test_the_last_administrator_stays_and_changes_of_rights_are_written_down(
    admin_client: Client, owner: User, stranger: User
) -> None:
    assert b"This is the last administrator" in edit(admin_client, stranger, is_active="on").content
    assert edit(admin_client, owner, is_active="on", is_superuser="on").status_code == 302
    assert AuditEntry.objects.get(action="user.change").details == {"is_superuser": [False, True], "fields": []}
    assert edit(admin_client, stranger, is_active="on").status_code == 302, "there is another one now"
    assert admin_client.get("/admin/").status_code == 302


def change_members(client: Client, project: Project, **roles: str) -> Any:
    """Give members of a project, named by their user names, other roles on the admin site; "" removes them."""
    rows = Membership.objects.filter(project=project).order_by("pk")
    body = {"memberships-TOTAL_FORMS": str(len(rows)), "memberships-INITIAL_FORMS": str(len(rows))}
    for place, row in enumerate(rows):
        prefix = f"memberships-{place}"
        body |= {
            f"{prefix}-id": str(row.pk),
            f"{prefix}-project": str(project.pk),
            f"{prefix}-user": str(row.user_id),
        }
        body[f"{prefix}-role"] = roles.get(row.user.username, row.role)
        if roles.get(row.user.username) == "":
            body |= {f"{prefix}-role": row.role, f"{prefix}-DELETE": "on"}
    return client.post(f"/admin/projects/project/{project.pk}/change/", {**body, "name": "Other"})


def test_members_of_a_project_are_changed_and_an_owner_stays(
    admin_client: Client, project: Project, owner: User, viewer: User
) -> None:
    change = partial(change_members, admin_client, project)
    assert b"A project needs an owner who is active." in change(owner="viewer").content
    assert b"Select a valid choice" in change(owner="king").content
    assert change(viewer="reviewer").status_code == 302
    project.refresh_from_db()
    assert project.name == "Reef", "its own page changes it"
    entry = AuditEntry.objects.get(action__startswith="member")
    assert (entry.action, entry.thing_name, entry.details) == (
        "member.role",
        "viewer",
        {"role": ["viewer", "reviewer"]},
    )
    notify([viewer.pk, owner.pk], Kind.MEMBER, "You are in.", project_id=project.pk)
    assert change(viewer="").status_code == 302
    assert not Membership.objects.filter(project=project, user=viewer).exists()
    assert [row.user for row in Notification.objects.all()] == [owner], "the others tell of somebody else's project"
    assert admin_client.get("/admin/projects/project/add/").status_code == 403
