"""Rows of the table: what was measured, the goal, and how far it is from it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

Direction = Literal["most", "least"]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure.

    Attributes:
        goal: What it should be, None where there is none.
        better: `most`: the goal is an upper bound; `least`: a lower one.
        more: Everything else that was measured with it.
    """

    section: str
    name: str
    measured: float
    unit: str
    goal: float | None = None
    better: Direction = "most"
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def is_missed(self) -> bool:
        """Whether there is a goal and it was not reached."""
        if self.goal is None:
            return False
        return self.measured > self.goal if self.better == "most" else self.measured < self.goal

    @property
    def ratio(self) -> float | None:
        """How many times better than the goal; below 1 it is missed. None for nothing at all."""
        if self.goal is None or not self.measured:
            return None
        return self.goal / self.measured if self.better == "most" else self.measured / self.goal

    def line(self) -> str:
        """The row as text."""
        goal = "" if self.goal is None else f"{'≤' if self.better == 'most' else '≥'} {number(self.goal)}"
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}×"
        mark = "" if self.goal is None else ("MISSED" if self.is_missed else "ok")
        shown = f"{number(self.measured)} {self.unit}"
        return f"{self.section:<9} {self.name:<58} {shown:>18} {goal:>12} {ratio:>8} {mark}"


@dataclass
class Report:
    """The rows of one run of the benchmarks; each is printed as it comes."""

    quick: bool
    rows: list[Row] = field(default_factory=list)

    def add(self, *row: Any, **more: Any) -> None:
        """Take a row's fields and print it."""
        made = Row(*row, **more)
        self.rows.append(made)
        print(made.line(), flush=True)

    def save(self, folder: Path, name: str, machine: dict[str, Any]) -> Path:
        """Write everything as JSON."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        rows = [{**asdict(row), "ratio": row.ratio, "missed": row.is_missed} for row in self.rows]
        content = _rounded({"machine": machine, "quick": self.quick, "rows": rows})
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        return path


def number(value: float) -> str:
    """Three significant digits, thousands with commas."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return float(f"{value:.5g}")
        case dict():
            return {key: _rounded(part) for key, part in value.items()}
        case list() | tuple():
            return [_rounded(part) for part in value]
        case _:
            return value
