"""What a store is asked of runs and items, and what it answers: a part of the store's contract."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pilothouse.model.run import Run, Status

ItemState = Literal["in_flight", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Item:
    """The read model of one item: the latest the log says of its key.

    Attributes:
        possible_duplicate: Its result says that an earlier attempt had it in hand when it ended.
    """

    key: str
    state: ItemState
    seq: int
    attempt: int
    starts: int
    seconds: float | None
    error: str | None
    data: dict[str, Any]
    label: str | None
    time: str
    possible_duplicate: bool = False


@dataclass(frozen=True, slots=True)
class ItemQuery:
    """Which items: of a smaller seq than `before`, newest first; of a larger one than `after`, oldest first.

    Attributes:
        states: Only these; empty: all.
        where: Item fields that must equal these values.
        text: Only items whose key, error or data contains this text.
    """

    limit: int = 200
    before: int | None = None
    states: tuple[ItemState, ...] = ()
    where: dict[str, Any] = field(default_factory=dict)
    text: str | None = None
    after: int | None = None


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Items, with the head of the log they were read at.

    Newest first, `total` counts all that match, and `before` continues the list, None at its end.
    """

    items: tuple[Item, ...]
    total: int  # 0 with `after`, since a count costs more than a page
    head: int
    before: int | None


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs. `before` is a run number: only smaller ones, newest first.

    `host`: only those whose latest attempt went to this host.
    """

    statuses: tuple[Status, ...] = ()
    kinds: tuple[str, ...] = ()
    owner: str | None = None
    tag: str | None = None
    text: str | None = None
    limit: int = 100
    before: int | None = None
    host: str | None = None


@dataclass(frozen=True, slots=True)
class RunPage:
    """Runs newest first; `total` counts all that match, `before` continues the list."""

    runs: tuple[Run, ...]
    total: int
    before: int | None


@dataclass(frozen=True, slots=True)
class Reuse:
    """Which results of a run that has ended a new one begins with.

    Attributes:
        run_id: The run that has ended.
        states: Items of these states, `done` or `failed` or both.
        until: Only items with a `seq` up to this one; None: all.
    """

    run_id: str
    states: tuple[ItemState, ...]
    until: int | None = None
