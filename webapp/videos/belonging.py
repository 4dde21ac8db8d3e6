"""Checks that the stored files belong to the connected database: they have its site id, and none is newer than the
database.

Ids of videos are given in ascending order, and none twice. If a folder has a higher id than the database has given, it
was made with a newer state of the database, of which the connected one is an older copy. A new video would get that id
and replace the files in the folder.
"""

from __future__ import annotations

import structlog
from django.db import DatabaseError, connection, models

from webapp.installation import COMMAND
from webapp.storage.failure import WrongFiles
from webapp.storage.files import storage
from webapp.storage.late_comparison import late_comparison
from webapp.storage.site_id import own_id, refuse_files_of_another_site, store_id
from webapp.videos.models import Video
from webapp.videos.storage import VIDEOS

log = structlog.get_logger(__name__)


def last_number(model: type[models.Model]) -> int:
    """Return the highest id that the database has given to a row of a model, whether or not the row is still there."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            row = cursor.fetchone()
            return int(row[0]) if row else 0
        cursor.execute(f"SELECT last_value, is_called FROM {_sequence(table)}")
        last, is_given = cursor.fetchone()
        return int(last) if is_given else 0


def raise_number(model: type[models.Model], to: int) -> None:
    """Let rows of a model get ids above `to` from now on. Nothing happens if they do already."""
    table = model._meta.db_table
    last = last_number(model)
    if last >= to:
        return
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            cursor.execute("SELECT setval(%s, %s)", [_sequence(table), to])
        elif last:
            cursor.execute("UPDATE sqlite_sequence SET seq = %s WHERE name = %s", [to, table])
        else:
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, to])


def _sequence(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [table])
        return str(cursor.fetchone()[0])


def newer_folders() -> list[int]:
    """Return the ids of videos that have stored files but are newer than the database, in ascending order."""
    # The folders are listed before the number is read: a row is committed before its folder is made.
    folders = [int(name) for name in storage().folders(VIDEOS) if name.isdigit()]
    last = last_number(Video)
    return sorted(folder for folder in folders if folder > last)


def refuse_wrong_files() -> None:
    """Raise WrongFiles if the stored files are of another site or newer than the database. May raise OSError."""
    refuse_files_of_another_site()
    if newer := newer_folders():
        raise WrongFiles(
            f"The database is an older copy: the stored files have video {newer[-1]}, and it has given numbers up to "
            f"{last_number(Video)} ({len(newer)} videos are newer).",
            f"Put the newer database back. If it is lost, `{COMMAND} fsck --adopt` gives new videos higher "
            f"numbers, and these files stay until `{COMMAND} fsck --repair` removes them.",
        )


def refuse_wrong_files_or_later() -> None:
    """Raise WrongFiles if the stored files do not belong to the database.

    If one of the two is away, the program starts all the same, and the comparison is made before it uses the files.
    """
    try:
        refuse_wrong_files()
    except (DatabaseError, OSError) as error:
        log.warning("files_not_compared", error=str(error))
        late_comparison.demand(refuse_wrong_files)
    finally:
        connection.close()


def adopt_files() -> str:
    """Make the stored files those of the connected database. New videos get ids that no file has, so they replace
    nothing. Returns a sentence that says what was done.
    """
    newer = newer_folders()
    raise_number(Video, max(newer, default=0))
    store_id(own_id())
    text = "The stored files belong to this database now."
    if newer:
        text += (
            f" New videos get numbers above {newer[-1]}; the files of {len(newer)} newer videos have no row, and "
            f"`{COMMAND} fsck --repair` would remove them: copy first what you still need."
        )
    return text
