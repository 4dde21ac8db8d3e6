"""Sign-in through a provider of OpenID Connect: the redirect to the provider, and the return from it.

Authlib finds the provider's addresses, checks state, nonce and the signature of the token, and uses PKCE.
"""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Any

import structlog
from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from webapp.accounts.api import check_current_password
from webapp.accounts.models import OIDC, User
from webapp.accounts.outside import OutsidePerson, account_of
from webapp.problems import NotFound, Problem

if TYPE_CHECKING:
    from authlib.integrations.django_client import DjangoOAuth2App

START = "/sign-in/oidc/"
RETURN = "/sign-in/oidc/return"
SECONDS = 10  # after which a provider that does not answer counts as away
AWAY = "The provider of the sign-in cannot be reached, or answers otherwise than it should. Try again in a moment."
NEXT, CONNECT = "oidc_next", "oidc_connect"  # keys of the session
CONNECT_SECONDS = 300  # within which a person who confirmed the connection must have come back from the provider

log = structlog.get_logger(__name__)


@never_cache
@require_http_methods(["GET", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    """Send the person to the provider. If they are signed in, ask first whether to connect both accounts."""
    user = request.user
    try:
        app = _provider()
        if isinstance(user, User) and not _confirmed(user, request.session.get(CONNECT)):
            return _ask(request, user)
        request.session[NEXT] = request.GET.get("next", "/")[:500]
        return app.authorize_redirect(request, request.build_absolute_uri(RETURN))
    except Problem as problem:
        return _refuse(request, problem)
    except Exception as error:  # Authlib passes on the errors of several packages.
        return _away(request, error)


def _ask(request: HttpRequest, user: User) -> HttpResponse:
    """Show the form with which `user` connects their account and, once it is sent, check the password in it.

    The password is asked for because afterwards whoever has the account at the provider can sign in here: a request
    that another site forges, or a browser that was left open, must not be enough to connect it. An account without a
    password cannot be connected, unless it was made for somebody who came by a one-time link and has no other way to
    sign in.
    """
    if user.signs_in_outside():
        text = "Your organisation signs you in, so this account cannot be connected to a second one."
        return _refuse(request, Problem("signs_in_outside", f"{text} To sign in again, sign out first.", 409))
    problem = None
    if request.method == "POST":
        try:
            check_current_password(user, request.POST.get("password", "")[:1000])
            request.session[CONNECT] = [user.pk, time.time()]
            # A redirect to the provider that follows a form is forbidden by our Content-Security-Policy.
            return HttpResponse(headers={"Refresh": f"0; url={START}"})
        except Problem as error:
            problem = error
    context = {"problem": problem, "provider": settings.CONFIG["MASKWRIGHT_OIDC_NAME"]}
    return render(request, "connect.html", context, status=problem.status if problem else 200)


@never_cache
@require_GET
def come_back(request: HttpRequest) -> HttpResponse:
    """Sign in the person whom the provider has sent back."""
    connect_to = _connecting(request)  # It is taken from the session even if the sign-in fails.
    try:
        user = account_of(_person(request), connect_to=connect_to)
    except Problem as problem:
        return _refuse(request, problem)
    wanted = request.session.pop(NEXT, "/")
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    own = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return redirect(wanted if own else "/")


def _person(request: HttpRequest) -> OutsidePerson:
    """Exchange the code of the request for claims, and return the person whom they describe. Raises Problem."""
    if "error" in request.GET:
        log.info("oidc_refused", error=request.GET["error"][:100])
        raise Problem("not_allowed_there", "The provider did not sign you in. Try again, or ask who runs it.", 403)
    app = _provider()
    try:
        token = app.authorize_access_token(request)
        claims: dict[str, Any] = dict(token.get("userinfo") or {})
        if app.server_metadata.get("userinfo_endpoint"):
            more = app.userinfo(token=token)
            if more.get("sub") == claims.get("sub"):
                claims = {**more, **claims}
    except Exception as error:
        log.warning("oidc_failed", error=str(error)[:300], kind=type(error).__name__)
        raise Problem("provider_failed", AWAY, 502) from None
    return person_of(claims)


def person_of(claims: dict[str, Any]) -> OutsidePerson:
    """Return the person whom the claims describe. Raises Problem if they do not say who it is."""
    issuer, subject = str(claims.get("iss") or ""), str(claims.get("sub") or "")
    if not issuer or not subject:
        raise Problem("provider_failed", AWAY, 502)
    name = claims.get("preferred_username") or claims.get("email") or subject
    return OutsidePerson(
        OIDC,
        f"{issuer} {subject}"[:300],
        str(name),
        str(claims.get("given_name") or ""),
        str(claims.get("family_name") or ""),
        str(claims.get("email") or ""),
        _groups(claims),
    )


def _groups(claims: dict[str, Any]) -> frozenset[str]:
    """Return the groups that the claims list. A claim that is missing means that the person is in no group: providers
    leave it out when the last group is taken away, and rights must not outlive that.

    Raises Problem if groups decide about something here and the provider names another address to ask for them
    (`_claim_names` of OpenID Connect), which it does when they are too many.
    """
    name = settings.CONFIG["MASKWRIGHT_OIDC_GROUPS_CLAIM"]
    groups = claims.get(name)
    if isinstance(groups, str):
        groups = [groups]
    if isinstance(groups, list):
        return frozenset(map(str, groups))
    decide = any(settings.CONFIG[f"MASKWRIGHT_{what}"] for what in ("SIGN_IN_GROUPS", "ADMIN_GROUPS", "GROUP_ROLES"))
    elsewhere = claims.get("_claim_names")
    if decide and isinstance(elsewhere, dict) and name in elsewhere:
        raise Problem(
            "too_many_groups",
            "You are in so many groups that the provider does not list them. Ask who runs it to send only the groups "
            f"that this site needs in the claim {name}.",
            403,
        )
    return frozenset()


def _connecting(request: HttpRequest) -> User | None:
    """Return the person who has just confirmed that their account is to be connected, and is still signed in.

    None if there is no such person. A confirmation counts once.
    """
    user, kept = request.user, request.session.pop(CONNECT, None)
    return user if isinstance(user, User) and _confirmed(user, kept) else None


def _confirmed(user: User, kept: object) -> bool:
    """Return whether `kept`, the user's id and a time from the session, says that `user` confirmed a connection just
    now.
    """
    return isinstance(kept, list) and kept[0] == user.pk and time.time() - kept[1] < CONNECT_SECONDS


def _provider() -> DjangoOAuth2App:
    config = settings.CONFIG
    if not config["MASKWRIGHT_OIDC_ISSUER"]:
        raise NotFound("way to sign in")
    return _client(
        config["MASKWRIGHT_OIDC_ISSUER"], config["MASKWRIGHT_OIDC_CLIENT_ID"], config["MASKWRIGHT_OIDC_CLIENT_SECRET"]
    )


@cache
def _client(issuer: str, client_id: str, secret: str) -> DjangoOAuth2App:
    from authlib.integrations.django_client import OAuth  # a package that sites without a provider do not have

    return OAuth().register(
        "provider",
        client_id=client_id,
        client_secret=secret or None,
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid profile email",
            "code_challenge_method": "S256",
            "default_timeout": SECONDS,
        },
    )


def _away(request: HttpRequest, error: Exception) -> HttpResponse:
    log.warning("oidc_away", error=str(error)[:300], kind=type(error).__name__)
    return _refuse(request, Problem("provider_failed", AWAY, 502))


def _refuse(request: HttpRequest, problem: Problem) -> HttpResponse:
    return render(request, "sign_in_refused.html", {"problem": problem}, status=problem.status)
