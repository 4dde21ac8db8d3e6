"""Tests of webapp/prepared.py, which keeps the SQL of a query, because making it takes longer than running it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Now
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from webapp.accounts.models import User
from webapp.annotation.head import hold
from webapp.annotation.models import Change, Receipt
from webapp.prepared import Query, Update, forget_ahead, insert, read_ahead
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


def test_an_insert_needs_no_returned_columns_on_an_old_sqlite(video: Video, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection.features, "can_return_columns_from_insert", False)
    with CaptureQueriesContext(connection) as found:
        made = [insert(Change(video=video, message={"number": number})) for number in range(2)]
    assert not any("RETURNING" in query["sql"] for query in found)
    assert [Change.objects.get(pk=change.pk).message["number"] for change in made] == [0, 1]


@pytest.mark.django_db(transaction=True)  # The other threads see only rows that are committed.
def test_threads_share_a_prepared_query_and_each_uses_its_own_connection() -> None:
    query = Query[ContentType](lambda pk: ContentType.objects.filter(pk=pk).annotate(read_at=Now()), pk=int)
    stored = [ContentType.objects.create(app_label="tests", model=f"kind {number}") for number in range(3)]

    def read(kind: ContentType) -> tuple[str, bool, int]:
        with CaptureQueriesContext(connection) as found:
            (row,) = query.rows(pk=kind.pk)
        read_at: datetime = row.read_at  # type: ignore[attr-defined]
        return row.model, read_at.tzinfo is not None, len(found)

    def read_in_a_thread(kind: ContentType) -> tuple[str, bool, int]:
        def read_and_close() -> tuple[str, bool, int]:
            try:
                return read(kind)
            finally:
                connection.close()

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(read_and_close).result()

    read_by = [read_in_a_thread(stored[0]), read(stored[1]), read_in_a_thread(stored[2])]
    assert read_by == [(kind.model, True, 1) for kind in stored]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks no rows; test_postgres.py runs this")
def test_rows_are_locked_only_within_a_transaction(video: Video) -> None:
    with pytest.raises(TransactionManagementError, match="only within a transaction"):
        hold(video.pk)
    with transaction.atomic():
        assert hold(video.pk).video_id == video.pk


def test_an_update_changes_the_rows_of_its_arguments(video: Video, owner: User) -> None:
    rows = [insert(Receipt(key=uuid4(), video=video, author=owner, result=number)) for number in range(3)]
    update = Update(lambda pk, by: (Receipt.objects.filter(pk__gt=pk), {"result": F("result") + by}), pk=int, by=int)
    assert (update.run(pk=rows[0].pk, by=10), update.run(pk=rows[1].pk, by=100)) == (2, 1)
    assert list(Receipt.objects.order_by("pk").values_list("result", flat=True)) == [0, 11, 112]


def test_an_argument_that_the_sql_lacks_is_an_error_of_the_programmer(video: Video) -> None:
    lost = Query(lambda pk: Video.objects.annotate(one=Value(1)).filter(pk=video.pk), pk=int)
    with pytest.raises(ValueError, match=r"all of the arguments \['pk'\]"):
        lost.rows(pk=video.pk)


def test_what_is_read_ahead_is_found_once_by_one_message_to_postgres(video: Video, owner: User) -> None:
    query = Query[Receipt](receipts, video_id=int, key=UUID, name=str)
    keys = Query(lambda video_id: Receipt.objects.filter(video_id=video_id).values_list("key"), video_id=int)
    made = insert(Receipt(key=uuid4(), video=video, author=owner, result=3))
    given: Any = {"video_id": video.pk, "key": made.key, "name": owner.username}
    assert (query.rows(**given), keys.rows(video_id=video.pk)) == ([made], [(made.key,)])
    calls = [query.call(**given), keys.call(video_id=video.pk), keys.call(video_id=0), keys.call(video_id=MOST + 1)]
    with CaptureQueriesContext(connection) as asked, read_ahead(*calls):
        (row,) = query.rows(**given)
        assert (row, row.author, row.next) == (made, owner, 4)  # type: ignore[attr-defined]
        assert keys.rows(video_id=video.pk) == [(made.key,)]
        assert keys.rows(video_id=0) == keys.rows(video_id=MOST + 1) == []
    assert len(asked) == (1 if connection.vendor == "postgresql" else 3)

    with read_ahead(*calls):
        keys.rows(video_id=video.pk)
        later = insert(Receipt(key=uuid4(), video=video, author=owner, result=None))
        assert set(keys.rows(video_id=video.pk)) == {(made.key,), (later.key,)}, "what was read ahead is used once"
        forget_ahead()
        Receipt.objects.all().delete()
        assert query.rows(**given) == []
