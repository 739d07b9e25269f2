"""What ends a training, in words that say the way out."""

from __future__ import annotations

from pilothouse.errors import PilothouseError


class BadDataset(PilothouseError):
    """The dataset cannot be read, is empty, or lacks its field; the message names it."""

    code = "bad_dataset"


class BadModel(PilothouseError):
    """The model cannot be loaded, or the device is not there; the message says which."""

    code = "bad_model"


class NotFinite(PilothouseError):
    """The loss or a weight is no longer a number; the message names the step."""

    code = "not_finite"


class OutOfMemory(PilothouseError):
    """Model, optimiser and batch do not fit into memory; the hint says what makes them smaller."""

    code = "out_of_memory"


class DiskFull(PilothouseError):
    """The run's folder takes no more; the message names it, the hint says which checkpoint is good."""

    code = "disk_full"


class TrainerFailed(PilothouseError):
    """A trainer that is only followed says that it has failed."""

    code = "trainer_failed"
