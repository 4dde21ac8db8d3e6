"""Tests of webapp/accounts/directory.py with a real slapd; left out where it or the extra `ldap` is missing."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from webapp.accounts.models import OutsideIdentity, User
from webapp.projects.models import Membership, Project, Role

SLAPD = shutil.which("slapd", path="/usr/sbin:/usr/bin:/usr/local/sbin") or ""
pytest.importorskip("django_auth_ldap")
pytestmark = pytest.mark.skipif(not SLAPD, reason="slapd is not installed")

BASE = "dc=example,dc=org"
CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {folder}/slapd.pid
database ldif
suffix "dc=example,dc=org"
rootdn "cn=admin,dc=example,dc=org"
rootpw hidden
directory {folder}/entries
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=reader,dc=example,dc=org" read by * none
"""
ENTRIES = """
dn: dc=example,dc=org
objectClass: domain
dc: example

dn: cn=reader,dc=example,dc=org
objectClass: person
cn: reader
sn: reader
userPassword: reads

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=org
objectClass: organizationalUnit
ou: groups

dn: uid=bo,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: bo
cn: Bo B
givenName: Bo
sn: B
mail: bo@example.org
userPassword: bo's password

dn: uid=owner,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: owner
cn: Owner
sn: O
userPassword: another owner

dn: cn=masks,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: masks
member: uid=bo,ou=people,dc=example,dc=org
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run slapd with two people and one group. Yields its address."""
    folder = tmp_path_factory.mktemp("directory")
    (folder / "entries").mkdir()
    (folder / "slapd.conf").write_text(CONFIGURATION.format(folder=folder))
    (folder / "entries.ldif").write_text(ENTRIES.lstrip())
    add = [SLAPD.replace("slapd", "slapadd"), "-f", str(folder / "slapd.conf"), "-l", str(folder / "entries.ldif")]
    subprocess.run(add, check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"ldap://127.0.0.1:{port}"
    running = subprocess.Popen([SLAPD, "-f", folder / "slapd.conf", "-h", url, "-d", "0"], stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield url
    finally:
        running.terminate()
        running.wait(10)


def wait_for(port: int) -> None:
    for _ in range(500):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
    raise AssertionError("slapd did not start")


@pytest.fixture
def config(server: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, "webapp.accounts.directory.Directory"]
    values: dict[str, Any] = settings.CONFIG.values
    for name, value in {
        "LDAP_URL": server,
        "LDAP_PEOPLE": f"ou=people,{BASE}",
        "LDAP_GROUPS": f"ou=groups,{BASE}",
        "LDAP_BIND_DN": f"cn=reader,{BASE}",
        "LDAP_BIND_PASSWORD": "reads",
        "GROUP_ROLES": [],
    }.items():
        monkeypatch.setitem(values, f"MASKWRIGHT_{name}", value)
    return values


def sign_in(username: str, password: str, client: Client | None = None) -> tuple[int, str]:
    body = {"username": username, "password": password}
    answer = (client or Client()).post("/api/sign-in", body, "application/json")
    return answer.status_code, answer.json().get("code", "")


def test_people_of_the_directory_sign_in_with_their_password_there(project: Project, config: dict[str, Any]) -> None:
    config["MASKWRIGHT_GROUP_ROLES"] = [("masks", project.pk, "annotator")]
    client = Client()
    assert sign_in("Bo", "bo's password", client) == (200, "")
    me = client.get("/api/me").json()
    assert [me[name] for name in ("username", "first_name", "last_name", "email", "has_password")] == [
        "bo",
        "Bo",
        "B",
        "bo@example.org",
        False,
    ]
    bo = User.objects.get(username="bo")
    assert Membership.objects.get(user=bo).role == Role.ANNOTATOR
    assert sign_in("bo", "bo's password") == (200, "")
    assert OutsideIdentity.objects.count() == 1
    for name, password in (("bo", "wrong"), ("bo", ""), ("nobody", "x"), ("*", "bo's password"), ("bo)(uid=*", "x")):
        assert sign_in(name, password) == (400, "sign_in_failed")
    bo.is_active = False
    bo.save()
    assert client.get("/api/me").status_code == 401, "the session has ended"
    assert sign_in("bo", "bo's password") == (403, "account_off")


def test_an_account_here_is_not_taken_over_by_one_of_the_same_name(owner: User, config: dict[str, Any]) -> None:
    assert sign_in("owner", "another owner") == (409, "name_taken")
    assert sign_in("owner", "correct horse battery") == (200, "")


def test_a_directory_that_is_away_lets_the_accounts_here_in(owner: User, config: dict[str, Any]) -> None:
    config["MASKWRIGHT_LDAP_URL"] = "ldap://127.0.0.1:1"
    assert sign_in("owner", "correct horse battery") == (200, "")
    assert sign_in("bo", "bo's password") == (503, "directory_away")
    assert sign_in("owner", "wrong") == (503, "directory_away")


def test_groups_that_cannot_be_looked_up_take_no_rights_away(project: Project, config: dict[str, Any]) -> None:
    config["MASKWRIGHT_GROUP_ROLES"] = [("masks", project.pk, "annotator")]
    assert sign_in("bo", "bo's password") == (200, "")
    config["MASKWRIGHT_LDAP_GROUPS"] = f"ou=nowhere,{BASE}"
    assert sign_in("bo", "bo's password") == (503, "directory_away")
    assert Membership.objects.get(user__username="bo").role == Role.ANNOTATOR


def test_a_person_without_a_password_in_the_directory_is_refused(db: None, config: dict[str, Any]) -> None:
    config["MASKWRIGHT_LDAP_PEOPLE"] = BASE
    config["MASKWRIGHT_LDAP_FILTER"] = "(cn=%(user)s)"
    assert sign_in("masks", "any") == (400, "sign_in_failed")
