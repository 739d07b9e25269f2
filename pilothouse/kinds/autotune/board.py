"""What is known of the experiments so far: the best, those that no other beats, what matters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pilothouse.kinds.autotune import space as spaces
from pilothouse.kinds.autotune.importance import importances
from pilothouse.kinds.autotune.params import Params
from pilothouse.kinds.autotune.score import is_dominated
from pilothouse.kinds.autotune.space import Point, Value, spelled
from pilothouse.kinds.autotune.strategy import Known

IMPORTANCE = "importance/"


@dataclass(frozen=True, slots=True)
class Entry:
    """A finished experiment: what a strategy is told of it, and its columns."""

    known: Known
    data: Mapping[str, Any]

    @property
    def is_promise_kept(self) -> bool | None:
        """Whether it keeps all promises; None where nothing was measured."""
        kept = self.data.get("slo_met")
        return kept if isinstance(kept, bool) else None

    @property
    def score(self) -> float | None:
        """The score of the first objective."""
        return self.known.values[0] if self.known.values else None


class Board:
    """Counts finished experiments."""

    def __init__(self, params: Params) -> None:
        self._is_single = len(params.objectives) == 1
        self._has_slo = bool(params.slo)
        self._space = params.space
        self._names = {parameter.name for parameter in params.space}
        self._basis = params.basis
        self._entries: list[Entry] = []
        self._others: list[int] = []
        self._failed = 0
        self.best: Entry | None = None

    @property
    def count(self) -> int:
        """Finished experiments."""
        return len(self._entries) + len(self._others)

    @property
    def numbers(self) -> set[int]:
        """The numbers of finished experiments."""
        return {entry.known.number for entry in self._entries} | set(self._others)

    @property
    def others(self) -> int:
        """Those of a run that this one retries, measured otherwise: no score here is one of theirs."""
        return len(self._others)

    @property
    def outside(self) -> int:
        """Finished experiments that are no points of the space."""
        held = sum(spaces.holds(self._space, entry.known.point) for entry in self._entries)
        return self.count - held

    @property
    def known(self) -> list[Known]:
        """What a strategy is told."""
        return [entry.known for entry in self._entries]

    def add(self, data: Mapping[str, Any], *, ok: bool) -> Entry | None:
        """Count one by its columns; returns it when it is the best so far. What is no experiment is left out."""
        number, point = data.get("number"), data.get("params")
        if not isinstance(number, int) or not isinstance(point, dict):
            return None
        if point.keys() != self._names or data.get("basis", self._basis) != self._basis:
            self._others.append(number)
            return None
        values = data.get("scores") if ok else None
        entry = Entry(Known(number, point, values or None), data)
        self._entries.append(entry)
        self._failed += not ok
        if entry.score is None:
            return None
        if self.best is None or self.best.score is None or entry.score < self.best.score:
            self.best = entry
            return entry
        return None

    def pareto(self) -> list[Entry]:
        """The experiments that no other beats in all objectives."""
        scored = [(entry, entry.known.values) for entry in self._entries if entry.known.values]
        return [
            entry for entry, values in scored if not any(is_dominated(values, others) for _, others in scored)
        ]

    def metrics(self, latest: Entry | None) -> dict[str, float | None]:
        """The metrics of the declaration after an experiment."""
        measured = [(entry.known.point, entry.score) for entry in self._entries if entry.score]
        found: dict[str, float | None] = {
            "best_score": self.best.score if self.best else None,
            "failed": self._failed,
            **(
                {"slo_met": sum(entry.is_promise_kept is True for entry in self._entries)}
                if self._has_slo
                else {}
            ),
            **({"pareto": len(self.pareto())} if not self._is_single else {}),
            **({"score": latest.score} if latest and latest.score is not None else {}),
        }
        return found | {f"{IMPORTANCE}{name}": share for name, share in importances(measured).items()}

    def latest(self) -> Entry | None:
        """The one that was finished last."""
        return self._entries[-1] if self._entries else None

    def difference(self, point: Point) -> str:
        """What is other than in the best so far: `order 3→1`; empty for the first."""
        if self.best is None:
            return ""
        best: Mapping[str, Value] = self.best.known.point
        return ", ".join(
            f"{name} {spelled(best[name])}→{spelled(value)}"
            for name, value in point.items()
            if name in best and best[name] != value
        )
