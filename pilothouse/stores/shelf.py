"""The read model of items: what the log says of each key, put on a shelf.

Finished stays finished: a key that is started again keeps its result, and
only counts one more start.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pydantic_core import from_json, to_json

from pilothouse.model import event as e
from pilothouse.questions import Item

Shelf = dict[str, Item]


def put(shelf: Shelf, event: e.Event, attempt: int) -> None:
    """Take what an event says of an item; other events say nothing."""
    body = event.body
    if isinstance(body, e.ItemStarted):
        shelf[body.key] = _started(shelf.get(body.key), body, event, attempt)
    elif isinstance(body, e.ItemFinished):
        shelf[body.key] = _finished(shelf.get(body.key), body, event, attempt)


def finished(shelf: Shelf, keys: Iterable[str]) -> set[str]:
    """Those of the keys that have a result, good or bad."""
    return {key for key in keys if key in shelf and shelf[key].state != "in_flight"}


def reused(item: Item) -> e.ItemFinished:
    """A finished item as a result that another run begins with."""
    return e.ItemFinished(
        key=item.key,
        ok=item.state == "done",
        seconds=item.seconds or 0.0,
        error=item.error,
        data=item.data,
        reused=True,
    )


def _started(old: Item | None, body: e.ItemStarted, event: e.Event, attempt: int) -> Item:
    starts = old.starts + 1 if old else 1
    if old and old.state != "in_flight":
        return replace(old, starts=starts)
    return Item(
        key=body.key,
        state="in_flight",
        seq=event.seq,
        attempt=attempt,
        starts=starts,
        seconds=None,
        error=None,
        data={},
        label=body.label,
        time=event.time,
    )


def _finished(old: Item | None, body: e.ItemFinished, event: e.Event, attempt: int) -> Item:
    return Item(
        key=body.key,
        state="done" if body.ok else "failed",
        seq=event.seq,
        attempt=attempt,
        starts=old.starts if old else 0,
        seconds=body.seconds,
        error=body.error,
        data=body.data,
        label=old.label if old else None,
        time=event.time,
        possible_duplicate=body.possible_duplicate,
    )


def as_json(value: object) -> str:
    """JSON text as the log's frames hold it: NaN and Infinity as words."""
    return to_json(value, inf_nan_mode="strings").decode()


def spellings(value: object) -> tuple[str, ...]:
    """The JSON texts that equal a value: 1 is written `1` or `1.0`, and `true` is neither."""
    texts = {as_json(value)}
    if (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) < 2**53
        and value == int(value)
    ):
        texts |= {as_json(int(value)), as_json(float(value))}
    return tuple(sorted(texts))


def from_text(text: str) -> dict[str, object]:
    """An object read back from `as_json`."""
    value: dict[str, object] = from_json(text)
    return value
