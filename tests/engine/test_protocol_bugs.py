"""The model check finds what it is there to find: every bug planted in the real code breaks its promise."""

from __future__ import annotations

import pytest

from tests.engine.protocol.bugs import BUGS, Bug
from tests.engine.protocol.explore import explore
from tests.engine.protocol.scenarios import SHORT


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_a_planted_bug_breaks_its_promise(bug: Bug, monkeypatch: pytest.MonkeyPatch) -> None:
    bug.plant(monkeypatch)

    found = explore(SHORT[bug.scenario])

    assert found.broken is not None, f"not found in {found}"
    assert found.broken.startswith(bug.promise), found
