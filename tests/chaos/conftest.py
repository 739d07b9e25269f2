"""What the chaos tests share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.summary import PROPERTY

AddRow = Callable[..., None]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A file outside of Pilothouse, in which jobs write one line per executed item."""
    return tmp_path / "ledger"


@pytest.fixture
def add_row(record_property: Callable[[str, object], None]) -> AddRow:
    """Adds a row to a table of the summary: `add_row(table, column=value, …)`."""

    def add(table: str, **row: Any) -> None:
        record_property(PROPERTY, json.dumps([table, row]))

    return add
