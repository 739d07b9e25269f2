"""Fixtures of the engine's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.engine.parts import Parts


@pytest.fixture
async def parts() -> AsyncIterator[Parts]:
    """An engine on the memory store."""
    parts = Parts()
    await parts.bus.open()
    yield parts
    parts.engine.doorbell.close()
    await parts.bus.close()
