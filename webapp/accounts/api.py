"""REST calls of accounts: signing in and out, and what a person may read and change of their own account."""

from __future__ import annotations

from typing import Annotated, Literal

from django.conf import settings
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest
from django.middleware.csrf import get_token
from ninja import Router, Schema, Status
from ninja.security import django_auth
from ninja.utils import check_csrf
from pydantic import Field

from webapp.accounts.limits import try_current_password, try_sign_in
from webapp.accounts.models import User
from webapp.accounts.second_factor import has_second_factor, must_set_up, require_code
from webapp.accounts.sessions import key_changed, sign_out_others
from webapp.problems import Forbidden, Problem
from webapp.rest import ErrorAnswer, Strict

router = Router(tags=["accounts"])

Key = Annotated[str, Field(min_length=1, max_length=40)]
CommandId = Annotated[str, Field(min_length=1, max_length=60)]
# The keys that a person has changed, by the id of the page's command: "frame.next": ["F", "ArrowRight"].
KeyBindings = Annotated[dict[CommandId, Annotated[list[Key], Field(max_length=8)]], Field(max_length=300)]


class Me(Schema):
    id: int
    username: str
    name: str
    first_name: str
    last_name: str
    email: str
    is_superuser: bool
    key_bindings: KeyBindings
    has_password: bool  # False for people who sign in outside, and until those who came by a link choose one
    signs_in_outside: bool  # True if only a provider or a directory signs the person in: they choose no password here
    lands: Literal["work", "projects"]  # What the page shows first; "work" is the queue.
    second_factor_missing: bool  # True if nothing else can be done before a second factor is set up

    @staticmethod
    def resolve_lands(user: User) -> str:
        # Projects and jobs belong to higher layers, so the relations are used by their names.
        roles = set(user.memberships.filter(project__deleted_at=None).values_list("role", flat=True))
        annotates = "annotator" in roles and roles <= {"annotator", "viewer"}
        return "work" if annotates and user.jobs.exists() else "projects"

    @staticmethod
    def resolve_has_password(user: User) -> bool:
        return user.has_usable_password()

    @staticmethod
    def resolve_signs_in_outside(user: User) -> bool:
        return user.signs_in_outside()

    @staticmethod
    def resolve_second_factor_missing(user: User) -> bool:
        return must_set_up(user)


class ProviderInfo(Schema):
    name: str  # What its button says.
    address: str  # Where the button leads.


class WaysIn(Schema):
    providers: list[ProviderInfo]


class SignIn(Strict):
    username: Annotated[str, Field(max_length=150)]
    password: Annotated[str, Field(max_length=1000)]
    code: Annotated[str, Field(max_length=60)] = ""  # Of the second factor, from those who have one.


class MePatch(Strict):
    name: Annotated[str, Field(max_length=120)] | None = None
    first_name: Annotated[str, Field(max_length=150)] | None = None
    last_name: Annotated[str, Field(max_length=150)] | None = None
    email: Annotated[str, Field(max_length=254)] | None = None
    password: Annotated[str, Field(max_length=1000)] | None = None
    current_password: Annotated[str, Field(max_length=1000)] = ""
    key_bindings: KeyBindings | None = None


@router.get("/me", response=Me)
def get_me(request: HttpRequest) -> User:
    get_token(request)  # the page reads its CSRF token from the cookie that this sets
    return signed_in(request)


@router.patch("/me", response={200: Me, (400, 429): ErrorAnswer}, auth=django_auth)
def change_me(request: HttpRequest, body: MePatch) -> User:
    """Change the names, the mail address, the password or the keys of the page.

    An account that has a password must send it as `current_password` to change the password. An account that only a
    provider or a directory signs in has none, and gets none.
    """
    user = signed_in(request)
    changed = []  # only these fields are written: others may have changed since `user` was read
    for field in ("name", "first_name", "last_name", "email"):
        given = getattr(body, field)
        if given is not None:
            setattr(user, field, given.strip())
            changed.append(field)
    if user.email and "email" in changed:
        _check_email(user.email)
    if body.key_bindings is not None:
        user.key_bindings = body.key_bindings
        changed.append("key_bindings")
    if body.password is not None:
        if user.signs_in_outside():
            # A password here would go on working after the organisation has shut the person out.
            text = "Your organisation signs you in, so this account has no password here. Change it there."
            raise Problem("signs_in_outside", text)
        check_current_password(user, body.current_password)
        try:
            validate_password(body.password, user)
        except ValidationError as error:
            raise Problem("weak_password", " ".join(error.messages)) from None
        user.set_password(body.password)
        changed.append("password")
    user.save(update_fields=changed)
    if body.password is not None:
        before = request.session.session_key
        update_session_auth_hash(request, user)  # this browser stays signed in; all others are signed out
        key_changed(before, request.session.session_key)
        sign_out_others(user=user, session_key=request.session.session_key)
    return user


@router.get("/sign-in", response=WaysIn, auth=None)
def get_ways_in(request: HttpRequest) -> WaysIn:
    """Return what the sign-in page offers beside the user name and password."""
    config = settings.CONFIG
    if not config["MASKWRIGHT_OIDC_ISSUER"]:
        return WaysIn(providers=[])
    return WaysIn(providers=[ProviderInfo(name=config["MASKWRIGHT_OIDC_NAME"], address="/sign-in/oidc/")])


@router.post("/sign-in", response={200: Me, (400, 403, 409, 429): ErrorAnswer}, auth=None)
def sign_in(request: HttpRequest, body: SignIn) -> User:
    """Sign in with a user name and a password. A person with a second factor must also send a `code`."""
    _check_csrf(request)
    address = request.META.get("REMOTE_ADDR", "")
    tried = try_sign_in(username=body.username, address=address)
    user = authenticate(request, username=body.username, password=body.password)
    if not isinstance(user, User):
        raise Problem("sign_in_failed", "This user name and password do not fit together.")
    if has_second_factor(user):
        try:
            require_code(user, body.code)
        except Problem:
            tried.take_back()  # The password was right. Wrong codes are counted by themselves.
            raise
    tried.succeeded()
    # Sessions are always those of Django's own backend, which ends them when an account is deactivated.
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return user


@router.post("/sign-out", response={204: None}, auth=None)
def sign_out(request: HttpRequest) -> Status[None]:
    _check_csrf(request)
    logout(request)
    return Status(204, None)


def signed_in(request: HttpRequest) -> User:
    """Return the user of a call that needs one. django-ninja has answered 401 to everybody else already."""
    assert isinstance(request.user, User)
    return request.user


def _check_email(email: str) -> None:
    try:
        validate_email(email)
    except ValidationError:
        raise Problem("bad_email", f"{email} is no mail address.", field="email") from None


def check_current_password(user: User, password: str) -> None:
    """Raise Problem unless `password` is the password of `user`, or `user` has none."""
    if not user.has_usable_password():
        return
    tried = try_current_password(user=user)
    if not user.check_password(password):
        raise Problem("wrong_password", "The current password is not right.")
    tried.succeeded()


def _check_csrf(request: HttpRequest) -> None:
    # django-ninja checks the token only for calls that need a session. Without it, a foreign page could sign people
    # out.
    if check_csrf(request):
        raise Forbidden("This page is out of date. Reload it and try again.")
