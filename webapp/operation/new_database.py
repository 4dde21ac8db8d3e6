"""Creates the tables of a new database from the models, instead of by one migration after the other.

Django renders all models anew for nearly each migration, which takes seconds. The tables of the models as they are now
are the same (tests/webapp/operation/test_new_database.py compares them), and an empty database has no rows to convert.

Only the order of the indexes differs, and SQLite takes the newest of two that seem equally good. So a query that
filters by a video and a person needs an index on both columns; the same test compares how both databases run frequent
queries.
"""

from __future__ import annotations

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


def is_empty(connection: BaseDatabaseWrapper) -> bool:
    """Tell whether the database has no table but, at most, the one that lists applied migrations."""
    return set(connection.introspection.table_names()) <= {MigrationRecorder.Migration._meta.db_table}


def create_tables(connection: BaseDatabaseWrapper) -> None:
    """Create the tables of all models and note each migration as applied, in one transaction."""
    recorder = MigrationRecorder(connection)
    recorder.ensure_schema()
    migrations = MigrationLoader(connection).disk_migrations
    with connection.schema_editor() as editor:
        for model in apps.get_models():
            if model._meta.can_migrate(connection):
                editor.create_model(model)
        for app, name in sorted(migrations):
            recorder.record_applied(app, name)
