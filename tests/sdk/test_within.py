"""A script within the run of its command, and how it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilothouse.model.run import Strength
from pilothouse.sdk.session import EXIT_CANCELLED, Stopped
from pilothouse.sdk.signals import Released
from pilothouse.sdk.traces import Traces
from pilothouse.sdk.within import Within
from tests.sdk.link_server import LinkServer


def test_a_script_whose_run_is_released_leaves_quietly(server: LinkServer, tmp_path: Path) -> None:
    within = Within(
        {
            "PILOTHOUSE_SERVER": server.url,
            "PILOTHOUSE_TOKEN": "secret",
            "PILOTHOUSE_RUN_ID": "run_1",
            "PILOTHOUSE_ATTEMPT": "1",
            "PILOTHOUSE_FOLDER": str(tmp_path),
        },
        {},
    )
    run = within.open()
    server.pause(strength=Strength.RELEASE)

    with pytest.raises(Released) as released:
        for _ in run.track(range(1_000_000)):
            pass
    instead = within.close(released.value)

    assert isinstance(instead, Stopped)
    assert instead.code == EXIT_CANCELLED
    assert Traces(tmp_path).left()["reason"] == "ended"
