"""The tables at the end: what each proof did, and what came of it.

A test adds a row with its `row` fixture. Rows travel with the test's report, so
they arrive from the workers of pytest-xdist too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

PROPERTY = "chaos"
Row = Mapping[str, Any]


class Summary:
    """Collects the rows, prints them, and writes them down where `--chaos-json` says."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._tables: dict[str, list[Row]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the rows of one test."""
        if report.when == "teardown":
            for name, value in report.user_properties:
                if name == PROPERTY:
                    table, row = json.loads(str(value))
                    self._tables.setdefault(table, []).append(row)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print every table."""
        for title, rows in sorted(self._tables.items()):
            terminalreporter.section(title)
            for line in drawn(rows):
                terminalreporter.line(line)
        if self._path and self._tables:
            Path(self._path).write_text(json.dumps(self._tables, indent=1, ensure_ascii=False) + "\n")


def drawn(rows: Sequence[Row]) -> list[str]:
    """Rows as lines with aligned columns, sorted by the first one."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *sorted([str(row.get(name, "")) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
