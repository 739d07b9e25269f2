"""Which files of a run go by the rules of its kind: pure, from names, order and metrics.

A rule speaks of a group: the files whose names begin with its prefix. What follows,
up to the next slash, names a member; all files of a member stay or go together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

_STEP = re.compile(r"step[-_]?(\d+)", re.IGNORECASE)
Points = Sequence[tuple[int, float]]


class Keep(Protocol):
    """What stays of a group: see the declaration of a kind."""

    @property
    def prefix(self) -> str:
        """The begin of the files' names."""

    @property
    def newest(self) -> int:
        """How many members."""

    @property
    def metric(self) -> str | None:
        """What tells the best one."""

    @property
    def goal(self) -> Literal["max", "min"]:
        """Which way is good."""


def surplus(names: Sequence[str], rule: Keep, points: Points = ()) -> list[str]:
    """The names that go.

    Args:
        names: All files of the run, the one that was saved first at the front.
        rule: What stays of its group.
        points: The metric of the rule as (step, value), by step.

    Returns:
        Names in their order. The newest member is not counted while it may still be
        growing, as one does that has several files.
    """
    members: dict[str, list[str]] = {}
    for name in names:
        if name.startswith(rule.prefix):
            member = name[len(rule.prefix) :].partition("/")[0]
            files = members.pop(member, [])  # the last file decides on the member's place
            members[member] = [*files, name]
    order = list(members)
    is_growing = bool(order) and any("/" in name[len(rule.prefix) :] for name in members[order[-1]])
    kept = set(order[-(rule.newest + is_growing) :])
    if (best := best_of(order, rule, points)) is not None:
        kept.add(best)
    return [name for member in order if member not in kept for name in members[member]]


def best_of(members: Sequence[str], rule: Keep, points: Points) -> str | None:
    """The member with the best value of the rule's metric at its step; the earliest of several."""
    values: Mapping[str, float] = {
        member: value for member in members if (value := _value_at(points, member)) is not None
    }
    if rule.metric is None or not values:
        return None
    sign = 1.0 if rule.goal == "min" else -1.0
    return min(values, key=lambda member: sign * values[member])


def _value_at(points: Points, member: str) -> float | None:
    """The value at the step in a member's name; the last before it where that step has none."""
    if (found := _STEP.search(member)) is None:
        return None
    step = int(found[1])
    before = [value for at, value in points if at <= step]
    return before[-1] if before else None
