"""REST calls of the second factor. They need a session: a token changes nothing about how its owner signs in."""

from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema, Status
from ninja.security import django_auth
from pydantic import Field

from webapp.accounts import second_factor
from webapp.accounts.api import check_current_password, signed_in
from webapp.problems import Problem
from webapp.rest import ErrorAnswer, Strict

router = Router(tags=["accounts"], auth=django_auth)


class SecondFactorInfo(Schema):
    on: bool  # You are asked for a code when you sign in.
    demanded: bool  # The site demands it of you, so it cannot be turned off.
    codes_left: int  # Recovery codes that have not been used.


class SecondFactorSetup(Schema):
    secret: str  # For an app into which it is typed.
    address: str  # What the picture shows: an address of the scheme otpauth.
    picture: str  # A QR code as a data URI (SVG).


class SecondFactorBegin(Strict):
    current_password: Annotated[str, Field(max_length=1000)] = ""


class SecondFactorCode(Strict):
    code: Annotated[str, Field(max_length=60)]


class RecoveryCodes(Schema):
    recovery_codes: list[str]  # Each works once instead of a code of the app. They are shown this once.


@router.get("/me/second-factor", response=SecondFactorInfo)
def get_second_factor(request: HttpRequest) -> SecondFactorInfo:
    user = signed_in(request)
    return SecondFactorInfo(
        on=second_factor.has_second_factor(user),
        demanded=second_factor.is_demanded(user),
        codes_left=second_factor.codes_left(user),
    )


@router.post("/me/second-factor", response={201: SecondFactorSetup, (400, 409, 429): ErrorAnswer})
def begin_second_factor(request: HttpRequest, body: SecondFactorBegin) -> Status[SecondFactorSetup]:
    """Begin to set up a second factor. No code is needed at sign-in until it is confirmed with a code."""
    user = signed_in(request)
    check_current_password(user, body.current_password)
    begun = second_factor.begin(user=user)
    return Status(201, SecondFactorSetup(secret=begun.secret, address=begun.address, picture=begun.picture))


@router.post("/me/second-factor/confirm", response={200: RecoveryCodes, (400, 409, 429): ErrorAnswer})
def confirm_second_factor(request: HttpRequest, body: SecondFactorCode) -> RecoveryCodes:
    """Turn the second factor on with the code that the app shows. Only this answer has the recovery codes."""
    return RecoveryCodes(recovery_codes=second_factor.confirm(user=signed_in(request), code=body.code))


@router.post("/me/second-factor/codes", response={200: RecoveryCodes, (400, 409, 429): ErrorAnswer})
def renew_recovery_codes(request: HttpRequest, body: SecondFactorCode) -> RecoveryCodes:
    """Make new recovery codes. The earlier ones stop working."""
    return RecoveryCodes(recovery_codes=second_factor.renew_codes(user=signed_in(request), code=body.code))


@router.post("/me/second-factor/off", response={204: None, (400, 409, 429): ErrorAnswer})
def turn_second_factor_off(request: HttpRequest, body: SecondFactorCode) -> Status[None]:
    """Turn the second factor off, which needs a code."""
    user = signed_in(request)
    if second_factor.is_demanded(user):
        raise Problem("second_factor_demanded", "This site demands a second factor of you.", 409)
    second_factor.require_code(user, body.code)
    second_factor.turn_off(user=user, by=user)
    return Status(204, None)
