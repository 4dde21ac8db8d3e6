"""webapp/accounts/admin.py"""

from django.test import Client

from webapp.accounts.models import User


def test_only_a_superuser_gets_in(owner: User) -> None:
    client = Client()
    client.force_login(owner)
    owner.is_staff = True  # Django's own rule would do with this
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
