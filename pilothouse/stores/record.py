"""Rows of `runs` and `items`, and the values they stand for."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Row

from pilothouse.contracts import NewRun
from pilothouse.model.run import Run
from pilothouse.questions import Item
from pilothouse.stores.admission import Entry
from pilothouse.stores.schema import items, runs
from pilothouse.stores.shelf import as_json, from_text

NAME_LENGTH = 200
AnyRow = Row[*tuple[Any, ...]]
_SEPARATOR = "\x1f"
_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")

RUN_COLUMNS = (runs.c.state, runs.c.params, runs.c.acked, runs.c.lease_until)
ITEM_COLUMNS = tuple(column for column in items.c if column.name != "run")


def run_row(entry: Entry) -> dict[str, Any]:
    """The columns that an append may change."""
    run = entry.run
    return state_row(entry) | {
        "name": name_key(run.name),
        "status": run.status.value,
        "pending": run.pending and run.pending.value,
        "attempt": run.attempt,
        "lease_until": entry.lease_until,
        "tags": _SEPARATOR.join(["", *(plain(tag) for tag in run.tags), ""]),
    }


def state_row(entry: Entry) -> dict[str, Any]:
    """The columns that every append changes."""
    run = entry.run
    return {"this": run.number, "head": run.head, "acked": as_json(entry.acked), "state": _state(run)}


def is_moved(before: Entry, after: Entry) -> bool:
    """True when columns beside those of `state_row` changed: an index is written for each of them."""
    old, new = before.run, after.run
    return (
        old.status is not new.status
        or old.attempt != new.attempt
        or before.lease_until != after.lease_until
        or old.request is not new.request
        or old.name != new.name
        or old.tags != new.tags
    )


def new_run_row(entry: Entry, idempotency: str | None) -> dict[str, Any]:
    """All columns of a new run."""
    run = entry.run
    row = run_row(entry)
    return row | {
        "number": row.pop("this"),
        "id": run.id,
        "kind": plain(run.kind),
        "owner": plain(run.owner),
        "created_at": run.created_at,
        "idempotency": idempotency,
        "params": as_json(run.params),
    }


def entry_of(row: AnyRow) -> Entry:
    """What `RUN_COLUMNS` tell of a run."""
    return Entry(run_of(row), from_json(row.acked), row.lease_until)


def run_of(row: AnyRow) -> Run:
    """The run in `state` and `params`."""
    return Run.restore(from_text(row.state) | {"params": from_text(row.params)})


def item_row(number: int, item: Item) -> dict[str, Any]:
    """The columns of an item, `data` as JSON text already."""
    data = as_json(item.data)
    return {
        "run": number,
        "key": plain(item.key),
        "state": item.state,
        "seq": item.seq,
        "attempt": item.attempt,
        "starts": item.starts,
        "seconds": item.seconds,
        "error": item.error and plain(item.error),
        "data": _NUL.sub(r"\1\\ufffd", data) if "\\u0000" in data else data,
        "label": item.label and plain(item.label),
        "time": item.time,
        "possible_duplicate": item.possible_duplicate,
    }


def item_of(row: AnyRow) -> Item:
    """The item in `ITEM_COLUMNS`."""
    return Item(**row._mapping)


def name_key(name: str) -> str:
    """The beginning of a name, as the column holds it: PostgreSQL's indexes take short values only."""
    return plain(name)[:NAME_LENGTH]


def tag_key(tag: str) -> str:
    """How a tag appears in the column."""
    return f"{_SEPARATOR}{plain(tag)}{_SEPARATOR}"


def idempotency_key(new: NewRun) -> str | None:
    """A digest of owner and key, None without a key."""
    if new.idempotency_key is None:
        return None
    told = f"{new.owner}\0{new.idempotency_key}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(told).hexdigest()


def _state(run: Run) -> str:
    return as_json({name: value for name, value in run.__dict__.items() if name != "params"})


def plain(text: str) -> str:
    """PostgreSQL's text holds no NUL; the log itself keeps it."""
    return text.replace("\x00", "\ufffd") if "\x00" in text else text
