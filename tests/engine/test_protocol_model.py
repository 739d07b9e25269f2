"""The control protocol, in every order in which users, hosts, jobs, timers and crashes can meet it.

The server is the real code; see tests/engine/protocol. `PILOTHOUSE_CHAOS=long` explores larger worlds.
"""

from __future__ import annotations

import pytest

from tests.chaos import scale
from tests.engine.protocol.explore import explore
from tests.engine.protocol.scenarios import LONG, SHORT

SCENARIOS = SHORT | LONG if scale.IS_LONG else SHORT


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.timeout(scale.LONG_SECONDS if scale.IS_LONG else 120)
def test_every_promise_holds_in_every_order(name: str) -> None:
    found = explore(SCENARIOS[name])

    print(f"{name}: {found}")
    assert found.broken is None, found
    assert found.states > 1000
