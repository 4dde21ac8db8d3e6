"""Paths of export files, and the names under which they are downloaded."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models.signals import post_delete
from django.dispatch import receiver

from webapp.annotation.models import Export
from webapp.storage.files import storage
from webapp.tasks.sending import after_commit

EXPORTS = "exports"  # The folder of all complete exports.


def export_file(export_id: int) -> str:
    """Return the name under which the file of a complete export is stored."""
    return f"{EXPORTS}/{export_id}"


def export_path(export_id: int) -> Path:
    """Return the path of the file of an export, on a site that keeps it in its data folder."""
    return Path(settings.HOME) / export_file(export_id)


def unfinished_path(export_id: int, fence: int) -> Path:
    """Return the path to which a worker writes until the export is complete. Each attempt has a path of its own."""
    return Path(settings.HOME) / "exports" / f"unfinished-{export_id}-{fence}"


def folder_name(name: str) -> str:
    """Turn `name` into the name of a file or folder without characters that some systems do not take.

    It has letters, digits, underscores, dots and dashes, at most 80 characters, and is never empty.
    """
    plain = unicodedata.normalize("NFC", name)
    return re.sub(r"[^\w.-]+", "-", plain).strip("-.")[:80] or "video"


def unique_folders(names: Iterable[str]) -> list[str]:
    """Turn each name into the name of a folder (`folder_name`). Where two would be the same, the later ones get a
    number.
    """
    taken: set[str] = set()
    folders = []
    for name in names:
        plain = folder = folder_name(name)
        number = 2
        while folder.casefold() in taken:
            folder, number = f"{plain}-{number}", number + 1
        taken.add(folder.casefold())
        folders.append(folder)
    return folders


def download_name(export: Export, suffix: str) -> str:
    """Return the name of a download, such as reef-round-3-davis.zip."""
    if export.video is None:
        assert export.project is not None
        return f"{folder_name(export.project.name)}-{export.format}.{suffix}"
    round_ = f"-round-{export.round.number}" if export.round else ""
    return f"{folder_name(export.video.name)}{round_}-{export.format}.{suffix}"


@receiver(post_delete, sender=Export)
def remove_file(sender: type[Export], instance: Export, **_: Any) -> None:
    after_commit(storage().remove, export_file(instance.pk))
