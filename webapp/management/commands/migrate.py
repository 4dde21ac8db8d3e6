"""Django's command `migrate`, which can create the tables of a new database in one step."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connections

from webapp.operation.new_database import create_tables, is_empty


class Command(DjangoMigrate):
    def handle(self, *args: Any, **options: Any) -> None:
        """Do what Django does.

        If `TABLES_FROM_MODELS` is set, create all tables first if the database is empty and no single app is named.
        """
        connection = connections[options["database"]]
        everything = not options["app_label"] and not options["fake"]
        only_asked = options["plan"] or options["check_unapplied"] or options["prune"]
        if settings.TABLES_FROM_MODELS and everything and not only_asked and is_empty(connection):
            create_tables(connection)
        super().handle(*args, **options)
