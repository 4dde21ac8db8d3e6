"""Tests of webapp/prepared.py, which keeps the SQL of a query, because making it takes longer than running it."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import F, Value
from django.test.utils import CaptureQueriesContext

from webapp.accounts.models import User
from webapp.annotation.models import Change, Receipt
from webapp.prepared import Query, Update, insert
from webapp.storable import MOST
from webapp.videos.models import Video

pytestmark = pytest.mark.django_db


def receipts(**given: Any) -> Any:
    rows = Receipt.objects.filter(video_id=given["video_id"], key=given["key"], author__username=given["name"])
    return rows.select_related("author").annotate(next=F("result") + 1).defer("created_at")


def test_a_prepared_query_finds_what_its_query_set_finds_for_each_argument(video: Video, owner: User) -> None:
    query = Query[Receipt](receipts, video_id=int, key=UUID, name=str)
    for number in range(2):
        made = insert(Receipt(key=uuid4(), video=video, author=owner, result=number))
        expected = receipts(video_id=video.pk, key=made.key, name=owner.username).get()
        with CaptureQueriesContext(connection) as found:
            row = query.first(video_id=video.pk, key=made.key, name=owner.username)
            assert row is not None
            assert row.author == owner
        assert (row, row.next) == (expected, number + 1)  # type: ignore[attr-defined]
        assert (row.key, row.result, row.get_deferred_fields()) == (made.key, number, {"created_at"})
        assert len(found) == 1, "the author was loaded with the row"
    assert query.rows(video_id=video.pk, key=uuid4(), name=owner.username) == []
    assert query.rows(video_id=MOST + 1, key=made.key, name=owner.username) == [], "no column holds such a number"


def test_rows_of_values_are_converted_like_those_of_django(video: Video, owner: User) -> None:
    made = insert(Receipt(key=uuid4(), video=video, author=owner, result=None))
    query = Query(lambda pk: Receipt.objects.filter(pk=pk).values_list("key", "result", "created_at"), pk=int)
    assert query.rows(pk=made.pk) == [(made.key, None, Receipt.objects.get().created_at)]


def test_an_insert_stores_what_saving_stores(video: Video) -> None:
    message = {"type": "cuts.changed", "cuts": [1, 2]}
    one, other = insert(Change(video=video, message=message)), Change.objects.create(video=video, message=message)
    stored = Change.objects.get(pk=one.pk)
    assert (stored.message, stored.video_id, other.pk) == (message, video.pk, one.pk + 1)
    assert abs(other.created_at - stored.created_at).total_seconds() < 60
    one.save()  # The row is known to be stored, so this updates it.
    assert Change.objects.latest("pk") == other


def test_an_update_changes_the_rows_of_its_arguments(video: Video, owner: User) -> None:
    rows = [insert(Receipt(key=uuid4(), video=video, author=owner, result=number)) for number in range(3)]
    update = Update(lambda pk, by: (Receipt.objects.filter(pk__gt=pk), {"result": F("result") + by}), pk=int, by=int)
    assert (update.run(pk=rows[0].pk, by=10), update.run(pk=rows[1].pk, by=100)) == (2, 1)
    assert list(Receipt.objects.order_by("pk").values_list("result", flat=True)) == [0, 11, 112]


def test_an_argument_that_the_sql_lacks_is_an_error_of_the_programmer(video: Video) -> None:
    lost = Query(lambda pk: Video.objects.annotate(one=Value(1)).filter(pk=video.pk), pk=int)
    with pytest.raises(ValueError, match=r"all of the arguments \['pk'\]"):
        lost.rows(pk=video.pk)
