"""Prepares a data folder for its first use: creates an owner and a sample project, unless there are accounts."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from webapp.accounts.links import make_link
from webapp.accounts.models import User
from webapp.projects.editing import create_project
from webapp.projects.models import Project
from webapp.videos.refusal import Refused

OWNER = "owner"
LABELS = (("Koi", "#ff7a59"), ("Leaf", "#7bd88f"))
GUIDE = (
    "A clip that Maskwright rendered by itself, to try things on. Draw a short scribble on one of the objects, press "
    "Enter, and watch the masks come in. Draw where a mask is wrong and press Enter again."
)


@transaction.atomic
def make_owner() -> User | None:
    """Create the first account, a superuser without a password. Returns None if there are accounts already."""
    if User.objects.exists():
        return None
    return User.objects.create_superuser(OWNER, password=None, name="Owner")


def make_sample(owner: User, say: Callable[[str], None]) -> Project:
    """Create a project with the sample video, which the program renders itself.

    If the disk has no room for the video, `say` gets the reason and the project has no video.
    """
    from webapp.videos.sample.clip import CLIP_NAME, add_sample_clip  # loads OpenCV, which later starts do not need

    project = create_project(by=owner, name="Sample", guide=GUIDE, labels=LABELS)
    try:
        add_sample_clip(project=project, author=owner)
    except Refused as problem:
        say(f"The sample clip {CLIP_NAME} could not be stored. {problem.text}")
    return project


def way_in() -> str | None:
    """Return the address of a new one-time sign-in link for the first active superuser who has no password.

    Returns None if all active superusers have passwords.
    """
    for user in User.objects.filter(is_superuser=True, is_active=True).order_by("pk"):
        if not user.has_usable_password():
            return make_link(user=user)
    return None
