"""Test of how many SQL statements a worker executes before it stores the first mask of a round."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.webapp.conftest import run
from webapp.accounts.models import User
from webapp.inference.work import work_on
from webapp.videos.models import Video

pytestmark = pytest.mark.django_db(transaction=True)  # The heartbeat thread uses another database connection.


def test_few_statements_come_before_the_first_mask(video: Video, owner: User, sent_tasks: list[Any]) -> None:
    row = run(video, owner, None, frame=3)
    with CaptureQueriesContext(connection) as found:
        work_on(row.pk)
    statements = [query["sql"] for query in found if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    first = next(at for at, sql in enumerate(statements) if sql.startswith('INSERT INTO "annotation_mask"'))
    assert first <= 22, "\n".join(statements[:first])
