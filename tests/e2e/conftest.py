"""One stack per module; each test makes runs of its own on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stack import Stack, stack


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Pilothouse as `pilothouse up` starts it."""
    with stack(tmp_path_factory.mktemp("stack") / "data") as running:
        yield running


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A file outside of Pilothouse, in which jobs write one line per executed item."""
    return tmp_path / "ledger"
