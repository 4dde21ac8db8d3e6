"""Tests of mail: notifications and invitations are sent by a worker, once, and later if the server does not answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.utils import timezone

from tests.conftest import make_user
from webapp.accounts.models import User
from webapp.configuration import load
from webapp.notifications.kinds import Kind
from webapp.notifications.mail import MOST_ATTEMPTS, send_waiting, sweep_mail
from webapp.notifications.models import Notification
from webapp.notifications.notify import Choice, choose, notify
from webapp.projects.invitation_mail import mail_waiting, sweep_invitations
from webapp.projects.models import Invitation, Project

ClientAs = Callable[[User | None], Client]
JSON = "application/json"
SITE = "https://masks.example.org"


@pytest.fixture(autouse=True)
def _site(settings: Any) -> None:
    settings.SITE_URL = SITE


def refuse(self: EmailBackend, messages: Any) -> int:
    raise SMTPServerDisconnected("gone")


def test_what_waits_for_a_person_comes_in_one_mail_and_once(
    annotator: User, owner: User, mailoutbox: list[Any], sent_tasks: list, django_capture_on_commit_callbacks: Any
) -> None:
    User.objects.filter(pk__in=(annotator.pk, owner.pk)).update(email="a@example.org")
    choose(user=owner, choices={Kind.ASSIGNED: Choice(by_mail=False)})
    with django_capture_on_commit_callbacks(execute=True):
        notify([annotator.pk, owner.pk], Kind.ASSIGNED, "Reef is\nyour job now.", link="/videos/7?job=1")
        notify([annotator.pk], Kind.SENT_BACK, "Kelp was sent back.", link="/videos/8")
        notify([owner.pk], Kind.ASSIGNED, "Only on the page.")
    assert sent_tasks == [("notifications.send_mail", [])] * 2
    gone = make_user("gone")
    notify([gone.pk], Kind.ASSIGNED, "To nobody.")
    Notification.objects.filter(user=gone).update(by_mail=True)
    assert send_waiting() == 1
    assert send_waiting() == 0
    (mail,) = mailoutbox
    assert (mail.subject, mail.to) == ("Maskwright: 2 messages", ["a@example.org"])
    assert f"Reef is\nyour job now.\n{SITE}/videos/7?job=1\n\nKelp was sent back.\n{SITE}/videos/8" in mail.body
    notify([annotator.pk], Kind.ASSIGNED, "Crab is\r\nBcc: x@example.org yours.")
    assert send_waiting() == 1
    assert mailoutbox[1].subject == "Maskwright: Crab is Bcc: x@example.org yours."


def test_a_server_that_does_not_answer_delays_a_mail(
    annotator: User, mailoutbox: list[Any], sent_tasks: list, django_capture_on_commit_callbacks: Any
) -> None:
    User.objects.filter(pk=annotator.pk).update(email="a@example.org")
    notify([annotator.pk], Kind.ASSIGNED, "Reef is your job now.")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", refuse)
        assert send_waiting() == 0
    with django_capture_on_commit_callbacks(execute=True):
        sweep_mail()
    assert sent_tasks == [("notifications.send_mail", [])]
    assert send_waiting() == 1
    assert mailoutbox[0].subject == "Maskwright: Reef is your job now."
    Notification.objects.update(mailed_at=None, mail_attempts=MOST_ATTEMPTS)
    assert send_waiting() == 0


def test_a_wrong_address_holds_up_no_mail_to_others(annotator: User, owner: User, mailoutbox: list[Any]) -> None:
    User.objects.filter(pk=min(annotator.pk, owner.pk)).update(email="a\nb@example.org")
    User.objects.filter(pk=max(annotator.pk, owner.pk)).update(email="b@example.org")
    for user in sorted((annotator, owner), key=lambda user: user.pk):
        notify([user.pk], Kind.ASSIGNED, "Reef is your job now.")
    assert send_waiting() == 1
    assert [mail.to for mail in mailoutbox] == [["b@example.org"]]
    assert Notification.objects.get(mailed_at=None).mail_attempts == 1


def test_an_invitation_is_mailed_with_a_link_of_its_own(
    client_as: ClientAs,
    project: Project,
    manager: User,
    mailoutbox: list[Any],
    settings: Any,
    django_capture_on_commit_callbacks: Any,
) -> None:
    client, address = client_as(manager), f"/api/projects/{project.pk}/invitations"
    made = client.post(address, {"role": "viewer", "email": "ada@example.org"}, content_type=JSON).json()
    assert made["mailed"]
    assert not client.post(address, {"role": "viewer"}, content_type=JSON).json()["mailed"]
    lines = client.post(f"{address}/csv", {"text": "email,role\nb@example.org,viewer\n"}, content_type=JSON).json()
    assert [line["mailed"] for line in lines] == [True]
    with django_capture_on_commit_callbacks() as sent:
        sweep_invitations()
    assert len(sent) == 1
    assert (mail_waiting(), mail_waiting()) == (2, 0)
    assert [mail.to for mail in mailoutbox] == [["ada@example.org"], ["b@example.org"]]
    assert "Manager invites you to Reef" in mailoutbox[0].subject
    link = mailoutbox[0].body.partition(f"{SITE}/invitation/")[2].split()[0]
    assert link not in made["link"]
    assert link not in str(list(Invitation.objects.values()))
    for url in (f"/invitation/{link}", made["link"]):
        assert b"Join Reef" in Client().get(url).content
    settings.SITE_URL = ""
    assert not client.post(address, {"role": "viewer", "email": "c@example.org"}, content_type=JSON).json()["mailed"]


def test_no_worker_is_told_of_invitations_that_are_not_sent_any_more(
    project: Project, manager: User, django_capture_on_commit_callbacks: Any
) -> None:
    made = Invitation.objects.create(
        project=project, role="viewer", email="ada@example.org", by_mail=True, created_by=manager, token_hash="a",
        expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    ends: list[dict[str, Any]] = [{"mail_attempts": MOST_ATTEMPTS}, {"expires_at": timezone.now() - timedelta(days=1)}]
    with django_capture_on_commit_callbacks() as sent:
        sweep_invitations()
    assert len(sent) == 1
    for values in ends:
        Invitation.objects.filter(pk=made.pk).update(mail_attempts=0, expires_at=timezone.now() + timedelta(days=1))
        Invitation.objects.filter(pk=made.pk).update(**values)
        with django_capture_on_commit_callbacks() as sent:
            sweep_invitations()
        assert sent == []


def test_the_address_of_the_mail_server_becomes_djangos_settings(tmp_path: Any) -> None:
    url = f"smtp+tls://jo%40n:p%2Fw@mail:2587?from=masks@example.org&site={SITE}"
    found = load({"EMAIL_URL": url}, tmp_path)["EMAIL_URL"]
    names = ("HOST", "PORT", "HOST_USER", "HOST_PASSWORD", "USE_TLS", "USE_SSL")
    assert [found[f"EMAIL_{name}"] for name in names] == ["mail", 2587, "jo@n", "p/w", True, False]
    assert (found["DEFAULT_FROM_EMAIL"], found["SITE_URL"]) == ("masks@example.org", SITE)
