"""Tests of every HTTP call with every role, as a user who is no member, and signed out.

A call that is not allowed gets 401, 403 or 404 and changes nothing. The list of calls is the OpenAPI schema of the
program, and access_rules.py says who may make each of them.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from celery import Celery
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from tests.conftest import make_member, make_project, make_user
from tests.webapp.access_rules import OTHER_ADDRESSES, RULES, UPLOAD_ID, Rule
from tests.webapp.conftest import draw, run, some_mask
from webapp.accounts.models import SignedInBrowser, User
from webapp.accounts.tokens import make_token
from webapp.annotation.models import Export, ExportState, Mask, MaskImport, MaskImportState, Round, RoundState
from webapp.annotation.objects import add_object
from webapp.annotation.pins import NewPin, add_pin
from webapp.api import api
from webapp.api_examples import EXAMPLES
from webapp.inference.models import Worker
from webapp.jobs.models import Job
from webapp.overview.views import save_view
from webapp.projects.access import allows
from webapp.projects.invitations import Guest, invite_by_link
from webapp.projects.models import Label, Membership, Project, Role, Sees, Team
from webapp.quality.models import Consensus
from webapp.urls import urlpatterns
from webapp.videos.create import create_video
from webapp.videos.models import Fetch, Upload, Video
from webapp.videos.upload_files import upload_path
from webapp.webhooks.models import Delivery, Webhook
from webapp.webhooks.signing import new_secret

METHODS = ("get", "post", "put", "patch", "delete")
CALLS = sorted(
    (method.upper(), path)
    for path, item in api.get_openapi_schema()["paths"].items()
    for method in item
    if method in METHODS
)


@dataclass(frozen=True)
class World:
    """A project with one row of each kind (video, upload, round, ...), its members, and a user who is no member.

    `numbers` has the ids of the rows. `address` puts them into the path of a call.
    """

    numbers: dict[str, Any]
    cast: dict[Role, User]
    stranger: User
    home: Path
    sessions: dict[Role, str]  # the keys of sessions in which the members of `cast` are signed in

    def client(self, role: Role) -> Client:
        """Return a client that is signed in as the member with this role. The sessions are reused, because signing in
        takes long.
        """
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = self.sessions[role]
        return client

    def address(self, path: str) -> str:
        return path.format(**self.numbers)

    def rows(self) -> dict[str, list[Any]]:
        """Return all rows of all tables of the web application, by the name of the model."""
        models = [model for model in apps.get_models() if model.__module__.startswith("webapp.")]
        return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}

    def contents(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.home.rglob("*") if path.is_file()}

    def files(self) -> dict[str, int]:
        return {str(path): path.stat().st_size for path in self.home.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def shared_world(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Yield the users, projects and videos that all tests of this file share. They are removed after the last test."""
    home = tmp_path_factory.mktemp("home")
    with django_db_blocker.unblock(), transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "HOME", home)
        patch.setattr(settings, "FRONTEND_DIST", home / "dist")
        patch.setattr(Celery, "send_task", lambda *_, **__: None)
        yield make_world(home)
        transaction.set_rollback(True)


@pytest.fixture
def world(shared_world: World, db: None) -> Iterator[World]:
    """Yield the shared users, projects and videos. pytest-django undoes what a test changes in the database.

    Changed files are put back here.
    """
    kept = shared_world.contents()
    yield shared_world
    after = shared_world.contents()
    for path in after.keys() - kept:
        path.unlink()
    for path, content in kept.items():
        if after.get(path) != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def make_world(home: Path) -> World:
    (home / "uploads").mkdir()
    project = make_project("Reef", make_user("owner"))
    cast = {Role.OWNER: User.objects.get()}
    cast |= {role: make_member(project, role) for role in Role if role is not Role.OWNER}
    stranger = make_user("stranger")
    make_project("Elsewhere", stranger)
    annotator = cast[Role.ANNOTATOR]
    guest = make_user("guest")  # the user whom a manager may add
    member = make_user("member")  # the user whom a manager may remove
    Membership.objects.create(project=project, user=member, role=Role.VIEWER)
    Label.objects.create(project=project, name="Fish", color="#112233")
    frames = [np.full((24, 32, 3), 40 * index, np.uint8) for index in range(4)]
    truth = [np.eye(24, 32, dtype=np.uint8) for _ in frames]
    video = create_video(project=project, name="reef", frames=frames, truth=truth, author=annotator)
    add_object(video=video, author=annotator, name="Fish")
    made = run(video, annotator, None)
    Round.objects.filter(pk=made.pk).update(state=RoundState.DONE)
    mask = some_mask(0)
    Mask.objects.create(round=made, frame=0, data=mask.data, confidence=mask.confidence)
    draw(video, annotator, frame=1)
    upload = Upload.objects.create(
        id=UPLOAD_ID, project=project, name="new.mp4", size=10, received=5, created_by=annotator
    )
    masks = MaskImport.objects.create(
        project=project, name="masks.zip", state=MaskImportState.ASKING, unknown_labels=["shark"], author=annotator
    )
    upload_path(upload.pk).write_bytes(b"abcde")
    export = Export.objects.create(video=video, round=made, format="davis", state=ExportState.DONE, author=annotator)
    (home / "exports").mkdir()
    (home / "exports" / str(export.pk)).write_bytes(b"zip")
    trashed = Video.objects.create(project=project, name="old", created_by=annotator, deleted_at=timezone.now())
    Consensus.objects.create(job=Job.objects.get(), created_by=cast[Role.MANAGER])
    numbers = {
        **make_smaller_things(project, cast, guest),
        "kind": "video",
        "queue": "exports",
        "scope": "project",
        "target_id": project.pk,
        "task_kind": "export",
        "task_id": export.pk,
        "trash_id": trashed.pk,
        "project_id": project.pk,
        "user_id": member.pk,
        "upload_id": upload.pk,
        "video_id": video.pk,
        "pin_id": add_pin(video=video, author=annotator, pin=NewPin(0, "Look here.")).pk,
        "job_id": Job.objects.get().pk,
        "frame": 0,
        "round_id": made.pk,
        "export_id": export.pk,
        "import_id": masks.pk,
    }
    return World(numbers, cast, stranger, home, {role: session_of(user) for role, user in cast.items()})


def session_of(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def make_smaller_things(project: Project, cast: dict[Role, User], guest: User) -> dict[str, Any]:
    """Make rows of the kinds that have no files, and return their ids."""
    annotator, owner = cast[Role.ANNOTATOR], cast[Role.OWNER]
    session = SessionStore()
    session.create()
    team = Team.objects.create(name="Night shift", created_by=annotator)
    team.members.set([guest])
    team.projects.add(project)
    webhook = Webhook.objects.create(project=project, url="https://8.8.8.8/hook", secret=new_secret())
    return {
        "team_id": team.pk,
        "webhook_id": webhook.pk,
        "delivery_id": Delivery.objects.create(webhook=webhook, event="ping", body="{}").pk,
        "fetch_id": Fetch.objects.create(project=project, source="reef.mp4", created_by=annotator).pk,
        "view_id": save_view(by=owner, project_id=project.pk, name="All", query="", shared=True).pk,
        "session_id": SignedInBrowser.objects.create(user=annotator, session_key=session.session_key or "").pk,
        "invitation_id": invite_by_link(by=owner, project_id=project.pk, guest=Guest(Role.VIEWER))[0].pk,
        "worker": Worker.objects.create(name="gpu-1:7", pid=7, device="cpu", heartbeat=timezone.now()).name,
        "token_id": make_token(by=annotator, name="script", projects=None, may_write=True, days=None)[0].pk,
    }


@contextmanager
def undone() -> Iterator[None]:
    """Undo the database changes that are made inside the block, so that each role is tested with the same data."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def send(world: World, client: Client, call: tuple[str, str]) -> HttpResponse:
    method, rule = call[0], RULES[call]
    address = world.address(call[1] + rule.query)
    body, content_type = rule.content(world.numbers)
    if method == "GET":
        return client.get(address, headers=dict(rule.headers))  # type: ignore[return-value]
    return client.generic(method, address, body, content_type, headers=dict(rule.headers))  # type: ignore[return-value]


@contextmanager
def noted_writes() -> Iterator[list[str]]:
    """Yield a list that gets each SQL statement that may change rows."""
    written: list[str] = []

    def execute(run: Callable[..., Any], sql: str, *others: Any) -> Any:
        if not sql.startswith(("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK")):
            written.append(sql)
        return run(sql, *others)

    with connection.execute_wrapper(execute):
        yield written


def refuses(world: World, client: Client, call: tuple[str, str], wanted: int) -> None:
    files = world.files()
    with undone(), noted_writes() as written:
        response = send(world, client, call)
        after = world.rows() if written else None
    assert response.status_code == wanted, response.content
    assert response.json()["text"]  # type: ignore[attr-defined]
    assert after is None or after == world.rows(), written
    assert world.files() == files


def lets_through(world: World, client: Client, call: tuple[str, str]) -> None:
    with undone():
        response = send(world, client, call)
        if not response.streaming:
            assert response.status_code not in (401, 403, 404, 422), response.content
        assert response.status_code < 500


def may(rule: Rule, role: Role) -> bool:
    if not isinstance(rule.who, Role):
        return rule.who != "superuser"
    return allows(role, rule.who) and (rule.only is None or role in rule.only)


def test_a_write_of_a_refused_call_would_be_seen(world: World) -> None:
    with undone(), noted_writes() as written:
        Project.objects.update(name="Changed")
        assert len(written) == 1
        assert world.rows() != {}
        assert len(written) == 1  # Reading is no write.


def test_every_call_has_a_rule_and_every_rule_a_call() -> None:
    assert set(CALLS) == set(RULES)


@pytest.mark.parametrize("call", [call for call in CALLS if call in RULES], ids=" ".join)
class TestEachCall:
    def test_as_each_role(self, world: World, call: tuple[str, str]) -> None:
        for role in world.cast:
            client = world.client(role)
            if RULES[call].own and role is not Role.ANNOTATOR:
                refuses(world, client, call, 404)
            elif may(RULES[call], role):
                lets_through(world, client, call)
            else:
                refuses(world, client, call, 403)

    def test_as_a_stranger(
        self, world: World, client_as: Callable[[User | None], Client], call: tuple[str, str]
    ) -> None:
        client = client_as(world.stranger)
        if isinstance(RULES[call].who, Role) or RULES[call].own:
            refuses(world, client, call, 404)
        elif RULES[call].who == "superuser":
            refuses(world, client, call, 403)
        else:
            lets_through(world, client, call)

    def test_as_a_superuser_who_is_no_member(
        self, world: World, client_as: Callable[[User | None], Client], call: tuple[str, str]
    ) -> None:
        User.objects.filter(pk=world.stranger.pk).update(is_superuser=True, is_staff=True)
        rule = RULES[call]
        if isinstance(rule.who, Role) or (rule.own and not rule.superusers):
            refuses(world, client_as(world.stranger), call, 404)
        else:
            lets_through(world, client_as(world.stranger), call)

    def test_signed_out(self, world: World, client_as: Callable[[User | None], Client], call: tuple[str, str]) -> None:
        if RULES[call].who == "anyone":
            lets_through(world, client_as(None), call)
        else:
            refuses(world, client_as(None), call, 401)


@pytest.mark.parametrize("call", [call for call in CALLS if call in RULES and call[0] != "GET"], ids=" ".join)
def test_a_call_from_a_foreign_page_is_refused(world: World, call: tuple[str, str]) -> None:
    """A request of a signed-in user without the CSRF token, as another site could send it, is refused."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.cast[Role.OWNER])
    refuses(world, client, call, 403)


OF_A_VIDEO = ("{video_id}", "{job_id}", "{round_id}", "{pin_id}", "{export_id}")


def test_an_annotator_with_other_jobs_sees_nothing_of_a_video(
    world: World, client_as: Callable[[User | None], Client]
) -> None:
    """Where annotators see only their jobs, every call about a video with a job of somebody else answers 404."""
    colleague = make_user("colleague")
    Membership.objects.create(project=Project.objects.get(name="Reef"), user=colleague, role=Role.ANNOTATOR)
    Project.objects.update(sees=Sees.JOBS)
    client = client_as(colleague)
    calls = [call for call in CALLS if any(name in call[1] for name in OF_A_VIDEO)]
    assert len(calls) > 30
    for call in calls:
        refuses(world, client, call, 404)


def test_a_removed_member_sees_nothing_of_the_project(world: World, client_as: Callable[[User | None], Client]) -> None:
    annotator = world.cast[Role.ANNOTATOR]
    client = client_as(annotator)
    Membership.objects.get(user=annotator).delete()
    for call in CALLS:
        if isinstance(RULES[call].who, Role):
            refuses(world, client, call, 404)


def test_the_examples_of_the_schema_are_calls_that_succeed(
    world: World, client_as: Callable[[User | None], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: public)  # The host of an example does not exist.
    client, names = client_as(world.cast[Role.OWNER]), set()
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method, call in methods.items():
            if call["operationId"] in EXAMPLES:
                names.add(call["operationId"])
                example = json.dumps(call["requestBody"]["content"]["application/json"]["example"])
                with undone():
                    answer = client.generic(method.upper(), world.address(path), example, "application/json")
                    assert answer.status_code in (200, 201), (call["operationId"], answer.content)
    assert names == set(EXAMPLES)


def test_there_is_no_address_that_this_file_does_not_know() -> None:
    known: list[Any] = list(urlpatterns)  # URLPattern and URLResolver objects; both have `pattern`
    patterns = {str(entry.pattern) for entry in known}
    assert patterns == {"api/", "^api/(?P<address>.*)$", *OTHER_ADDRESSES}


@pytest.mark.parametrize("pattern", OTHER_ADDRESSES)
def test_the_other_addresses_give_nothing_away(
    world: World, client_as: Callable[[User | None], Client], pattern: str
) -> None:
    (world.home / "dist").mkdir(exist_ok=True)
    (world.home / "dist" / "index.html").write_text("<!doctype html>")
    address, status = OTHER_ADDRESSES[pattern]
    clients = [client_as(user) for user in (None, world.stranger, world.cast[Role.OWNER])]
    rows = world.rows()
    for client in clients:
        assert client.get(address).status_code == status
    assert world.rows() == rows
