"""Fixtures for all tests, such as a project with a member of each role, and a stranger who owns another project."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from celery import Celery
from django.contrib.contenttypes.management import create_contenttypes
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache, caches
from django.db.models.signals import post_migrate
from django.test import Client
from hypothesis import settings

from webapp.accounts.models import User
from webapp.projects.models import Membership, Project, Role

# Other programs may use the processor, so hypothesis must not fail an example because it took long.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")

PASSWORD = "correct horse battery"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """Add nothing to the database when Django empties it after a test.

    Django would add rows for all permissions and content types again, which takes longer than many tests do. Nothing
    reads permissions, and content types are added when they are first needed.
    """
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
    post_migrate.disconnect(create_contenttypes)


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Empty Django's caches before each test.

    They count attempts for rate limits, which must not carry over, and hold the ids of content types, which may have
    been stored in a transaction that the last test rolled back.
    """
    cache.clear()
    caches["process"].clear()
    ContentType.objects.clear_cache()


def make_user(username: str) -> User:
    return User.objects.create_user(username, password=PASSWORD, name=username.title())


def make_project(name: str, owner: User) -> Project:
    project = Project.objects.create(name=name, created_by=owner)
    Membership.objects.create(project=project, user=owner, role=Role.OWNER)
    return project


def make_member(project: Project, role: Role) -> User:
    user = make_user(role.value)
    Membership.objects.create(project=project, user=user, role=role)
    return user


@pytest.fixture
def owner(db: None) -> User:
    return make_user("owner")


@pytest.fixture
def project(owner: User) -> Project:
    return make_project("Reef", owner)


@pytest.fixture
def manager(project: Project) -> User:
    return make_member(project, Role.MANAGER)


@pytest.fixture
def reviewer(project: Project) -> User:
    return make_member(project, Role.REVIEWER)


@pytest.fixture
def annotator(project: Project) -> User:
    return make_member(project, Role.ANNOTATOR)


@pytest.fixture
def viewer(project: Project) -> User:
    return make_member(project, Role.VIEWER)


@pytest.fixture
def stranger(db: None) -> User:
    """Create a user who owns a project called "Elsewhere" and is no member of the project of the fixture `project`."""
    user = make_user("stranger")
    make_project("Elsewhere", user)
    return user


@pytest.fixture
def cast(owner: User, manager: User, reviewer: User, annotator: User, viewer: User) -> dict[Role, User]:
    """Return one member of the project of the fixture `project` for each role, by role."""
    return {
        Role.OWNER: owner,
        Role.MANAGER: manager,
        Role.REVIEWER: reviewer,
        Role.ANNOTATOR: annotator,
        Role.VIEWER: viewer,
    }


@pytest.fixture
def client_as() -> Callable[[User | None], Client]:
    """Return a function that makes a Django test client, signed in as a user or, with None, as nobody."""

    def make(user: User | None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user)
        return client

    return make


@pytest.fixture
def sent_tasks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[Any]]]:
    """Return a list that gets each Celery task that the code sends, as (name, arguments). No task reaches a broker."""
    calls: list[tuple[str, list[Any]]] = []

    def send_task(self: Celery, name: str, args: Any = None, kwargs: Any = None, **options: Any) -> None:
        calls.append((name, list(args or [])))

    monkeypatch.setattr(Celery, "send_task", send_task)
    return calls
