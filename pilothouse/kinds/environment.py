"""The variables of a process that a job starts beside itself."""

from __future__ import annotations

from collections.abc import Mapping

from pilothouse.sdk.assignment import VARIABLES

# What attaching needs, and what tells a host that a process is the run's.
KEPT = (*VARIABLES, "PILOTHOUSE_ENTRY", "PILOTHOUSE_HOST", "PILOTHOUSE_ORPHAN_SECONDS")


def environment(own: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """The process's variables: the host's and the run's; of Pilothouse's own only those it needs."""
    others = {name: value for name, value in own.items() if not name.startswith("PILOTHOUSE_")}
    kept = {name: own[name] for name in KEPT if name in own}
    return {**others, "PYTHONUNBUFFERED": "1", **more, **kept}
