"""Django's command `migrate`, which creates the tables of a new database in one step."""

from __future__ import annotations

from typing import Any

from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connections

from webapp.operation.new_database import create_tables, is_empty


class Command(DjangoMigrate):
    help = f"{DjangoMigrate.help} A new database gets its tables in one step."

    def handle(self, *args: Any, **options: Any) -> None:
        """Create all tables first if the database is empty and no app is named, then run Django's own command."""
        connection = connections[options["database"]]
        everything = not options["app_label"] and not options["fake"]
        only_asked = options["plan"] or options["check_unapplied"] or options["prune"]
        if everything and not only_asked and is_empty(connection):
            create_tables(connection)
        super().handle(*args, **options)
