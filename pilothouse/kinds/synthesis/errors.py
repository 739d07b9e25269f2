"""What can go wrong in a synthesis, beside its params."""

from __future__ import annotations

from pilothouse.errors import PilothouseError


class TrainingFailed(PilothouseError):
    """A method could not learn the table; the next one is tried."""

    code = "training_failed"
