"""The second factor: six digits from an app on a person's phone (TOTP, RFC 6238), or a recovery code that works once.

It is asked for after the password, and before a one-time link signs anybody in. People who sign in at a provider of the
organisation are asked for a second factor there, not here.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from webapp.accounts.encryption import WrongKey, decrypt, encrypt
from webapp.accounts.limits import try_code
from webapp.accounts.models import LDAP, OIDC, OutsideIdentity, RecoveryCode, SecondFactor, User
from webapp.accounts.signals import account_changed
from webapp.problems import Problem

ISSUER = "Maskwright"
STEPS_AROUND = 1  # Codes of the step before and the step after are taken too, because clocks differ.
RECOVERY_CODES = 10
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # Without those that look like others.
OWN = "/api/me/second-factor"
# The other calls that can be made before a second factor that the site demands is set up.
ALWAYS = {("GET", "/api/me"), ("GET", "/api/sign-in"), ("POST", "/api/sign-in"), ("POST", "/api/sign-out")}
OPTIONAL, ADMINS = "optional", "admins"  # Values of MASKWRIGHT_SECOND_FACTOR; the third is "everybody".


@dataclass(frozen=True)
class Setup:
    """What an app needs to make codes. `picture` is a data URI of the QR code, an SVG, which shows `address`."""

    secret: str
    address: str
    picture: str


def has_second_factor(user: User) -> bool:
    """Return whether `user` is asked for a code when they sign in."""
    return SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).exists()


def codes_left(user: User) -> int:
    """Return how many recovery codes of `user` have not been used."""
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def is_demanded(user: User) -> bool:
    """Return whether the site demands a second factor of `user`, whether or not they have one.

    It is not demanded of people who have no password here and sign in at a provider, which asks for its own.
    An LDAP directory does not ask for one, so it is also demanded of people who sign in with the directory's password.
    """
    setting = settings.CONFIG["MASKWRIGHT_SECOND_FACTOR"]
    if setting == OPTIONAL or (setting == ADMINS and not user.is_superuser):
        return False
    if user.has_usable_password():
        return True
    ways = set(OutsideIdentity.objects.filter(user=user).values_list("provider", flat=True))
    return LDAP in ways or OIDC not in ways


def must_set_up(user: User) -> bool:
    """Return whether `user` may do nothing but set up a second factor, because the site demands one."""
    return is_demanded(user) and not has_second_factor(user)


def refusal(request: HttpRequest) -> Problem | None:
    """Return why a call of the REST API may not be made before a second factor is set up, or None if it may."""
    user = request.user
    if not isinstance(user, User) or (request.method, request.path) in ALWAYS or request.path.startswith(OWN):
        return None
    if not must_set_up(user):
        return None
    return Problem("second_factor_needed", "This site demands a second factor of you. Set one up first.", 403)


@transaction.atomic
def begin(*, user: User) -> Setup:
    """Make a new secret for `user`. Codes are asked for at sign-in only after `confirm`, so a picture that was never
    scanned locks nobody out.

    Raises Problem 409 if the user has a second factor.
    """
    if has_second_factor(user):
        raise Problem("second_factor_on", "You have a second factor. Turn it off before you set up another one.", 409)
    import pyotp
    import segno

    secret = pyotp.random_base32()
    SecondFactor.objects.update_or_create(user=user, defaults={"secret": encrypt(secret), "last_step": 0})
    address = pyotp.TOTP(secret).provisioning_uri(name=user.username, issuer_name=ISSUER)
    picture = segno.make(address, error="m").svg_data_uri(scale=5, border=3, dark="#000", light="#fff")
    return Setup(secret, address, picture)


@transaction.atomic
def confirm(*, user: User, code: str) -> list[str]:
    """Turn the second factor on if `code` is a valid code of the user's app. Return the user's recovery codes.

    Raises Problem if nothing was begun, if the code is wrong or cannot be checked, or after too many wrong codes.
    """
    found = SecondFactor.objects.filter(user=user, confirmed_at=None).first()
    if found is None:
        raise Problem(
            "nothing_begun", "Set up the second factor from the start: its picture is not there any more.", 409
        )
    tried = try_code(user=user)
    if not _use_step(found, code):
        raise Problem("wrong_code", WRONG)
    tried.succeeded()
    SecondFactor.objects.filter(pk=found.pk).update(confirmed_at=timezone.now())
    account_changed.send(None, user=user, by=user, action="second_factor.on", details={})
    return _new_codes(user)


def renew_codes(*, user: User, code: str) -> list[str]:
    """Return new recovery codes. The earlier ones stop working. Raises Problem if `code` is wrong."""
    require_code(user, code)
    with transaction.atomic():
        account_changed.send(None, user=user, by=user, action="second_factor.codes", details={})
        return _new_codes(user)


def turn_off(*, user: User, by: User | None) -> bool:
    """Turn off the second factor of `user`, for the user or for an administrator. `by` is None for a command on the
    server. Returns whether there was one.
    """
    with transaction.atomic():
        RecoveryCode.objects.filter(user=user).delete()
        deleted, _ = SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).delete()
        if deleted:
            account_changed.send(None, user=user, by=by, action="second_factor.off", details={})
    return bool(deleted)


def require_code(user: User, code: str) -> None:
    """Use up a code of the app, or a recovery code, of `user`.

    Raises Problem if it is empty, wrong or was used before, and if there were too many wrong ones.
    """
    if not code.strip():
        raise Problem("code_needed", "Enter the six digits that your app shows, or one of your recovery codes.")
    tried = try_code(user=user)
    if not _use(user, code):
        account_changed.send(None, user=user, by=None, action="second_factor.wrong", details={})
        raise Problem("wrong_code", WRONG)
    tried.succeeded()


UNREADABLE = (
    "The secret key of this site was changed, so codes of your app cannot be checked. Enter a recovery code, or ask an "
    "administrator to turn your second factor off."
)
WRONG = "This code is not right, or was used before. Wait for the next one, and check the clock of your phone."


def _use(user: User, code: str) -> bool:
    given = "".join(code.split()).replace("-", "").lower()
    if given.isascii() and given.isdigit():
        found = SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).first()
        return found is not None and _use_step(found, given)
    mine = RecoveryCode.objects.filter(user=user, code_hash=_hash(user, given), used_at=None)
    return bool(mine.update(used_at=timezone.now()))


def _use_step(found: SecondFactor, code: str) -> bool:
    """Return whether `code` is valid at present. If so, no code of its time step or an earlier one works again.

    Raises Problem (409) if the secret cannot be read.
    """
    import pyotp
    from pyotp.exceptions import OTPVerificationError

    try:
        totp = pyotp.TOTP(decrypt(found.secret))
    except WrongKey:
        raise Problem("second_factor_unreadable", UNREADABLE, 409) from None
    given = "".join(code.split())
    try:
        step = totp.verify_and_get_timecode(given, for_time=time.time(), valid_window=STEPS_AROUND)
    except OTPVerificationError:
        return False
    # The condition is in the statement, so that of two requests with the same code one succeeds.
    return bool(SecondFactor.objects.filter(pk=found.pk, last_step__lt=step).update(last_step=step))


def _new_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    codes = ["".join(secrets.choice(LETTERS) for _ in range(16)) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, code_hash=_hash(user, code)) for code in codes)
    return ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in codes]


def _hash(user: User, code: str) -> str:
    # A plain hash is enough, because a code has 79 random bits and cannot be guessed.
    return hashlib.sha256(f"{user.pk}:{code}".encode()).hexdigest()
