"""Queries whose SQL is made only once. They are used where a query runs for each stroke or several times a second.

Django builds the SQL of a query set anew each time, which takes ten times as long as SQLite needs to run it. A `Query`
here keeps the SQL of its first run and replaces the arguments in it, so its conditions must not depend on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Field, Model, QuerySet
from django.db.models.query import ModelIterable, get_related_populators
from django.db.models.sql import UpdateQuery
from django.db.transaction import TransactionManagementError

from webapp.storable import MOST

R = TypeVar("R")
Row = TypeVar("Row", bound=Model)
Argument = int | str | UUID
# Arguments that stand for the real ones while the SQL is made. They fit the smallest columns they are compared with.
PLACES: Mapping[type, Callable[[int], Argument]] = {
    int: lambda number: 32_101 + number,
    str: lambda number: f"argument {number} of a prepared query",
    UUID: lambda number: UUID(int=0x6D61736B_77726967_68740000_00000000 + number),
}


@dataclass(frozen=True)
class _Statement:
    """SQL with its parameters; `holes` maps the positions of those that are arguments to the names of the arguments.

    `made_of` turns the rows of the database into what the query set yields.
    """

    sql: str
    parameters: tuple[Any, ...]
    holes: Mapping[int, str]
    compiler: Any
    made_of: Callable[[Any, list[Any]], list[Any]] = lambda connection, rows: rows

    def run(self, connection: Any, cursor: Any, given: Mapping[str, Argument]) -> None:
        cursor.execute(self.sql, self.filled(connection, given))

    def filled(self, connection: Any, given: Mapping[str, Argument]) -> list[Any]:
        """Return the parameters with the given arguments in their places."""
        parameters = list(self.parameters)
        for at, name in self.holes.items():
            parameters[at] = _stored(connection, given[name])
        return parameters


class _Prepared:
    """The base of `Query` and `Update`. It makes the SQL statement once for each kind of database.

    `build` makes the query set from the arguments, which it gets by name, and `types` are their types.
    """

    def __init__(self, build: Callable[..., Any], types: Mapping[str, type]) -> None:
        self._build, self._types = build, types
        self._statements: dict[str, _Statement] = {}

    def _statement(self, connection: Any) -> _Statement:
        found = self._statements.get(connection.vendor)
        if found is None:
            found = self._statements[connection.vendor] = self._make(connection)
        return found

    def _make(self, connection: Any) -> _Statement:
        places = {name: PLACES[kind](number) for number, (name, kind) in enumerate(self._types.items())}
        compiler = self._query(places).get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        names = {_stored(connection, place): name for name, place in places.items()}
        holes = {at: names[value] for at, value in enumerate(parameters) if _is_place(value, names)}
        if set(holes.values()) != set(places):
            raise ValueError(f"The SQL does not have all of the arguments {sorted(places)}: {sql}")
        return _Statement(sql, tuple(parameters), holes, compiler)

    def _query(self, places: Mapping[str, Argument]) -> Any:
        raise NotImplementedError


class Query(_Prepared, Generic[R]):
    """A query set whose SQL is made once. `build` returns it for the arguments; `types` are the types of these by name.

    The rows are what the query set yields; only `prefetch_related` has no effect.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, R]], **types: type) -> None:
        super().__init__(build, types)
        self._rows: QuerySet[Any, R]

    def rows(self, **given: Argument) -> list[R]:
        """Return the rows for these arguments. A number that no column can hold finds none."""
        ahead = _ahead.get()
        if ahead and (rows := ahead.pop(_name(self, given), None)) is not None:
            return rows
        if not all(_is_storable(value) for value in given.values()):
            return []
        connection = _connection()
        statement = self._checked_statement(connection)
        with connection.cursor() as cursor:
            statement.run(connection, cursor, given)
            found = cursor.fetchall()
        return statement.made_of(connection, found) if found else []

    def first(self, **given: Argument) -> R | None:
        """Return the first row for these arguments, or None. The query set should end with `[:1]`."""
        return next(iter(self.rows(**given)), None)

    def call(self, **given: Argument) -> Call:
        """Return this query with arguments, for `read_ahead`."""
        return Call(self, given)

    def _checked_statement(self, connection: Any) -> _Statement:
        statement = self._statement(connection)
        locks = statement.compiler.query.select_for_update and connection.features.has_select_for_update
        if locks and not connection.in_atomic_block:
            raise TransactionManagementError("Rows can be locked only within a transaction.")
        return statement

    def _make(self, connection: Any) -> _Statement:
        statement = super()._make(connection)
        compiler = statement.compiler
        columns = [column[0] for column in compiler.select[: compiler.col_count]]
        converters = compiler.get_converters(columns)
        if self._rows._iterable_class is ModelIterable:
            return replace(statement, made_of=_Objects(compiler, converters, connection.alias).made_of)
        return replace(statement, made_of=partial(_made_by_django, self._rows, compiler, converters))

    def _query(self, places: Mapping[str, Argument]) -> Any:
        self._rows = self._build(**places)
        return self._rows.query


@dataclass(frozen=True)
class Call:
    """A query and the arguments with which it is to run."""

    query: Query[Any]
    given: Mapping[str, Argument]


_ahead: ContextVar[dict[Any, list[Any]] | None] = ContextVar("ahead", default=None)  # The rows that were read ahead.


@contextmanager
def read_ahead(*calls: Call) -> Iterator[None]:
    """Let Postgres run several queries by one message, which takes a fraction of the time of one message each.

    Within the block, the first use of each query with the same arguments returns the rows that were read so. Nothing
    that it reads may change before that. The queries run in the given order, and each sees what was committed before
    it began. With SQLite, which needs no messages, each query runs where it is used.
    """
    connection = _connection()
    if connection.vendor != "postgresql":
        yield
        return
    token = _ahead.set(_rows_of(connection, [each for each in calls if all(map(_is_storable, each.given.values()))]))
    try:
        yield
    finally:
        _ahead.reset(token)


def forget_ahead() -> None:
    """Let each query run where it is used, because what was read ahead may have changed."""
    if ahead := _ahead.get():
        ahead.clear()


def _rows_of(connection: Any, calls: list[Call]) -> dict[Any, list[Any]]:
    statements = [each.query._checked_statement(connection) for each in calls]
    sql = "; ".join(statement.sql for statement in statements)
    parameters = [statement.filled(connection, each.given) for statement, each in zip(statements, calls, strict=True)]
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(sql, [value for some in parameters for value in some])
        for statement, each in zip(statements, calls, strict=True):
            rows = cursor.fetchall()
            found[_name(each.query, each.given)] = statement.made_of(connection, rows) if rows else []
            cursor.nextset()
    return found


def _name(query: Query[Any], given: Mapping[str, Argument]) -> tuple[Query[Any], frozenset[tuple[str, Argument]]]:
    """Return the key under which the rows of a query with these arguments are kept."""
    return query, frozenset(given.items())


class _Objects:
    """Makes the objects of a model, as Django's ModelIterable does, but prepares once what is the same for all rows."""

    def __init__(self, compiler: Any, converters: Mapping[int, Any], alias: str) -> None:
        info = compiler.klass_info
        places = info["select_fields"]
        self._model, self._alias = info["model"], alias
        self._own = slice(places[0], places[-1] + 1)
        self._names = [column[0].target.attname for column in compiler.select[self._own]]
        self._related = get_related_populators(info, compiler.select, alias)  # type: ignore[call-arg]  # for Django 6
        self._annotations = tuple((compiler.annotation_col_map or {}).items())
        self._converters = [
            (at, converter, expression) for at, (functions, expression) in converters.items() for converter in functions
        ]

    def made_of(self, connection: Any, rows: list[Any]) -> list[Any]:
        return [self._made_of(connection, list(row)) for row in rows]

    def _made_of(self, connection: Any, row: list[Any]) -> Any:
        for at, convert, expression in self._converters:
            row[at] = convert(row[at], expression, connection)
        made = self._model.from_db(self._alias, self._names, row[self._own])
        for related in self._related:
            related.populate(row, made)
        for name, at in self._annotations:
            setattr(made, name, row[at])
        return made


def _made_by_django(
    query_set: Any, compiler: Any, converters: Mapping[int, Any], connection: Any, found: list[Any]
) -> list[Any]:
    """Return what Django makes of the rows `found`, for example tuples, after it has run a query itself."""
    ran: Any = copy(compiler)
    ran.connection = connection
    ran.execute_sql = lambda *_, **__: [found]
    ran.get_converters = lambda _: converters
    return list(query_set._iterable_class(type(query_set)(query_set.model, _Ran(ran), connection.alias)))


@dataclass(frozen=True)
class _Ran:
    """Takes the place of a query set's query: its compiler returns rows that were read already."""

    compiler: Any

    def get_compiler(self, *_: object, **__: object) -> Any:
        return self.compiler


class Update(_Prepared):
    """An update whose SQL is made once. `build` returns the rows to update and the new values of their columns."""

    def __init__(self, build: Callable[..., tuple[QuerySet[Any], Mapping[str, Any]]], **types: type) -> None:
        super().__init__(build, types)

    def run(self, **given: Argument) -> int:
        """Update the rows for these arguments, and return how many there were."""
        connection = _connection()
        with connection.cursor() as cursor:
            self._statement(connection).run(connection, cursor, given)
            return int(cursor.rowcount)

    def _query(self, places: Mapping[str, Argument]) -> Any:
        rows, values = self._build(**places)
        query = rows.query.chain(UpdateQuery)
        query.add_update_values(values)
        return query


def insert(instance: Row) -> Row:
    """Store a new row as `instance.save()` does, but send no signals. All its columns must have values."""
    connection = _connection()
    fields, sql, key = _insertion(type(instance), connection.vendor)
    # SQLite returns columns of a new row since version 3.35, and Django runs with older versions, too.
    returning = f" RETURNING {key}" if connection.features.can_return_columns_from_insert else ""
    values = [field.get_db_prep_save(field.pre_save(instance, True), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(sql + returning, values)
        instance.pk = cursor.fetchone()[0] if returning else cursor.lastrowid
    instance._state.adding, instance._state.db = False, connection.alias
    return instance


@cache
def _insertion(model: type[Model], vendor: str) -> tuple[list[Field[Any, Any]], str, str]:
    name, key = _connection().ops.quote_name, model._meta.pk
    fields = [field for field in model._meta.concrete_fields if field is not key]
    columns = ", ".join(name(str(field.column)) for field in fields)
    places = ", ".join("%s" for _ in fields)
    sql = f"INSERT INTO {name(model._meta.db_table)} ({columns}) VALUES ({places})"
    return fields, sql, name(str(key.column))


def _connection() -> Any:
    """Return this thread's connection. Each use of `django.db.connection` would look it up again."""
    return connections[DEFAULT_DB_ALIAS]


def _stored(connection: Any, value: Argument) -> Any:
    """Return an argument in the form in which this database stores it: SQLite stores a UUID as text."""
    if isinstance(value, UUID) and not connection.features.has_native_uuid_field:
        return value.hex
    return value


def _is_storable(value: Argument) -> bool:
    return not isinstance(value, int) or -MOST - 1 <= value <= MOST


def _is_place(value: object, names: Mapping[Any, str]) -> bool:
    return isinstance(value, int | str | UUID) and value in names
