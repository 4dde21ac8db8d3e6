"""Tests of webapp/accounts/admin.py: who can sign in to Django's admin site, and what can be done there."""

from django.test import Client

from tests.conftest import PASSWORD
from webapp.accounts.models import User


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


def test_its_door_is_the_sign_in_of_the_page(owner: User) -> None:
    client = Client()
    assert (
        client.get("/admin/accounts/user/", follow=False).headers["location"]
        == "/admin/login/?next=/admin/accounts/user/"
    )
    door = "/admin/login/?next=/admin/accounts/user/"
    assert client.get(door).headers["location"] == "/sign-in?next=%2Fadmin%2Faccounts%2Fuser%2F"
    assert client.post(door, {"username": "owner", "password": PASSWORD}).status_code == 302
    assert client.get("/api/me").status_code == 401, "a password is taken at one door only"
    client.force_login(owner)
    answer = client.get(door)
    assert answer.status_code == 403, "signing in again would lead here again"
    assert b"no administrator" in answer.content
