"""The whole of Pilothouse with the kind for tests, on a data folder and a port of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pilothouse.testing import stack as real
from pilothouse.testing.stack import until

__all__ = ["Stack", "stack", "until"]


class Stack(real.Stack):
    """`pilothouse up` with the kind `counting`, as this folder has it.

    Args:
        data: The data folder.
        more: Variables of its environment, on top of those of every stack.
    """

    def __init__(self, data: Path, more: Mapping[str, str] | None = None) -> None:
        root = str(Path(__file__).parents[2])
        own = {
            "PILOTHOUSE_KINDS": "tests.jobs.counting:KIND",
            "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")])),
        }
        super().__init__(data, {**own, **(more or {})})


@contextmanager
def stack(data: Path, more: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """A stack that is stopped at the end, with nothing left behind."""
    with real.stopped(Stack(data, more)) as running:
        yield running
