"""The job of a synthesis: nothing but the start, so that a missing package is said in clear words."""

from __future__ import annotations

from pilothouse.kinds.synthesis import EXTRA
from pilothouse.kinds.synthesis.params import Params
from pilothouse.sdk.handle import RunHandle


def run(run: RunHandle) -> None:
    """Make a synthetic table with the methods as they are.

    Raises:
        MissingExtra: A package is not installed.
        PilothouseError: The table cannot be learned from, or no attempt succeeded.
    """
    EXTRA.require("Synthesis")
    from pilothouse.kinds.synthesis.backend import RealBackend
    from pilothouse.kinds.synthesis.synthesis import Synthesis

    Synthesis(run, Params.model_validate(run.params), RealBackend(run.safepoint)).run()
