"""The id that a database shares with its stored files, so that neither is used with those of another site.

A new database gets an id. It is written beside the stored files if they have none. A restore gives a site a new id, so
copies of the earlier site's files that other machines keep are not taken for its own.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from uuid import UUID

from django.conf import settings

from webapp.installation import COMMAND
from webapp.storage.failure import WrongFiles
from webapp.storage.files import SITE_ID, storage
from webapp.storage.models import ROW, SiteId


def own_id() -> UUID:
    """Return the id in the database, which gets one if it has none."""
    return SiteId.objects.get_or_create(pk=ROW)[0].value


def stored_id() -> str:
    """Return the id beside the stored files, or "" if there is none. Raises OSError if the storage is away."""
    try:
        with storage().open(SITE_ID) as file:
            return file.read().decode(errors="replace").strip()
    except FileNotFoundError:
        return ""


def store_id(value: UUID | str) -> None:
    """Store the site id with the stored files, in place of an earlier one. With "" the earlier one is removed."""
    if not value:
        storage().remove(SITE_ID)
        return
    with tempfile.TemporaryDirectory(dir=settings.HOME) as folder:
        path = Path(folder) / SITE_ID
        path.write_text(f"{value}\n")
        storage().save(path, SITE_ID)


def set_own_id(value: UUID) -> None:
    """Give the database an id, in place of an earlier one."""
    SiteId.objects.update_or_create(pk=ROW, defaults={"value": value})


def refuse_files_of_another_site() -> None:
    """Compare the id of the database with that beside the stored files, or write it there if they have none.

    Raises WrongFiles if the ids differ, and OSError if the storage is away.
    """
    found, own = stored_id(), own_id()
    if not found:
        store_id(own)
    elif found != str(own):
        where = settings.HOME if storage().on_this_disk else "the bucket of STORAGE_URL"
        raise WrongFiles(
            f"The files in {where} belong to another database than the one that is connected, or a restore was broken "
            f"off (site {found[:40]}, not {own}).",
            "Correct the settings (MASKWRIGHT_HOME, DATABASE_URL, STORAGE_URL), or make these files the connected "
            f"database's by `{COMMAND} fsck --adopt`.",
        )
