"""Lists in pages. If another page follows, the answer has its address in the header `Link` (RFC 8288)."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from django.db.models import F, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Schema
from pydantic import Field

from webapp import cursor

Row = TypeVar("Row", bound=Model)
MOST_ROWS = 500  # in one page
Limit = Annotated[int, Field(ge=1, le=MOST_ROWS)]
NamePart = Annotated[str, Field(max_length=200)]


class Newest(Schema):
    """The parameters of a list whose newest rows come first. The next page begins `before` the last id of this one."""

    before: Annotated[int, Field(ge=1)] | None = None
    limit: Limit = 200

    def page(self, rows: QuerySet[Row], request: HttpRequest, answer: HttpResponse) -> list[Row]:
        """Return the page of `rows` that is asked for, and name the next one in the headers of `answer`."""
        rows = rows if self.before is None else rows.filter(pk__lt=self.before)
        found = list(rows.order_by("-pk")[: self.limit + 1])
        if len(found) > self.limit:
            _name_next(request, answer, before=found[self.limit - 1].pk)
        return found[: self.limit]


class NewestFirst(Newest):
    """The parameters of a list, newest rows first, that can be limited to the rows with one `state`."""

    state: Annotated[str, Field(max_length=20)] | None = None

    def page(self, rows: QuerySet[Row], request: HttpRequest, answer: HttpResponse) -> list[Row]:
        return super().page(rows if self.state is None else rows.filter(state=self.state), request, answer)


class Sorted(Schema):
    """The parameters of a list that is sorted by a column. `after` is the cursor in the `Link` of the page before."""

    reverse: bool = False
    after: Annotated[str, Field(max_length=2000)] | None = None
    limit: Limit = 200

    def page(self, rows: QuerySet[Row], key: Any, request: HttpRequest, answer: HttpResponse) -> list[Row]:
        """Return the page of `rows`, sorted by the expression or column `key` and then by id.

        The next page is named in the headers of `answer`. `key` is null in no row. Raises Problem "bad_cursor".
        """
        in_order: QuerySet[Any] = rows.annotate(sort_key=F(key) if isinstance(key, str) else key)
        sign = "-" if self.reverse else ""
        name = f"{request.path} {sign}{key}"
        if self.after is not None:
            in_order = cursor.behind(in_order, self.after, name, descending=self.reverse)
        found: list[Any] = list(in_order.order_by(f"{sign}sort_key", f"{sign}pk")[: self.limit + 1])
        if len(found) > self.limit:
            last = found[self.limit - 1]
            _name_next(request, answer, after=cursor.pack(name, last.sort_key, last.pk))
        return found[: self.limit]


def _name_next(request: HttpRequest, answer: HttpResponse, **where: str | int) -> None:
    """Write the header `Link` with the query parameters `where` of the next page. The address is relative, so that it
    also holds behind a proxy.
    """
    query = request.GET.copy()
    for name, value in where.items():
        query[name] = str(value)
    answer["Link"] = f'<?{query.urlencode()}>; rel="next"'
