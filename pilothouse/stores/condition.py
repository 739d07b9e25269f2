"""What queries ask, as SQL that means the same on both databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ColumnElement, Dialect, Double, Text, TypeDecorator, bindparam, cast, func, or_
from sqlalchemy.types import TypeEngine

from pilothouse.errors import Invalid
from pilothouse.questions import ItemQuery, RunQuery
from pilothouse.stores.record import plain, tag_key
from pilothouse.stores.schema import items, runs
from pilothouse.stores.shelf import as_json, spellings

Condition = ColumnElement[bool]


class _FieldName(TypeDecorator[str]):
    """The right side of `->`: SQLite takes a bare `0` for an index and a dot for a step."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return f'$."{value}"' if dialect.name == "sqlite" else value


class _Json(TypeDecorator[str]):
    """Text that holds JSON: SQLite reads it as it is."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else JSON())


def run_conditions(query: RunQuery) -> list[Condition]:
    """The filters of a list of runs, without its place in the list."""
    conditions: list[Condition] = []
    if query.statuses:
        conditions.append(runs.c.status.in_([status.value for status in query.statuses]))
    if query.kinds:
        conditions.append(runs.c.kind.in_([plain(kind) for kind in query.kinds]))
    if query.owner is not None:
        conditions.append(runs.c.owner == plain(query.owner))
    if query.host is not None:
        conditions.append(_run_field("host") == query.host)
    if query.tag is not None:  # LIKE would not tell upper case from lower on SQLite
        conditions.append(func.replace(runs.c.tags, tag_key(query.tag), "") != runs.c.tags)
    if query.text:
        conditions.append(or_(_holds(runs.c.name, query.text), _holds(runs.c.id, query.text)))
    return conditions


def run_number(name: str) -> ColumnElement[float]:
    """A number of the run's state."""
    return cast(_run_field(name), Double)


def item_conditions(query: ItemQuery) -> list[Condition]:
    """The filters of a list of items, without its place in the list."""
    conditions: list[Condition] = []
    if query.states:
        conditions.append(items.c.state.in_(query.states))
    conditions += [_field_is(name, value) for name, value in query.where.items()]
    if query.text:
        inside = as_json(query.text)[1:-1]  # as a string looks within JSON
        fields = (items.c.key, query.text), (items.c.error, query.text), (cast(items.c.data, Text), inside)
        conditions.append(or_(*(_holds(column, text) for column, text in fields)))
    return conditions


def has_prefix(column: ColumnElement[str], prefix: str) -> Condition:
    """A range, so that the index serves."""
    return (column >= plain(prefix)) & (column < plain(prefix) + "\U0010ffff")


def _run_field(name: str) -> ColumnElement[str]:
    """A field of the run's state, as text."""
    state = runs.c.state.cast(_Json)
    return state.op("->>", return_type=Text())(bindparam(None, name, _FieldName()))


def _holds(column: ColumnElement[str], text: str) -> Condition:
    return column.icontains(plain(text), autoescape=True)


def _field_is(name: str, value: Any) -> Condition:
    """Compares JSON texts: a field may hold a number in one item and a word in the next."""
    if '"' in name or "\\" in name:
        raise Invalid(f"where: {name!r}: names with quotes or slashes cannot be searched", field="where")
    field = items.c.data.op("->", return_type=Text())(bindparam(None, plain(name), _FieldName()))
    told = func.coalesce(cast(field, Text), "null")
    return told.in_([bindparam(None, text, Text()) for text in spellings(value)])
