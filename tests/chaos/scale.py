"""How much of a proof is done: the counts of the long form, or the few of `make test`.

`PILOTHOUSE_CHAOS=long` asks for the long form; `PILOTHOUSE_CHAOS_SCALE=0.1` for a tenth of it.
"""

from __future__ import annotations

import os

IS_LONG = os.environ.get("PILOTHOUSE_CHAOS") == "long"
SCALE = float(os.environ.get("PILOTHOUSE_CHAOS_SCALE") or 1)
LONG_SECONDS = 3600


def times(long: int, short: int) -> int:
    """How often to do it."""
    return max(1, round(long * SCALE)) if IS_LONG else short


def limit(seconds: float) -> float:
    """A promised time; three times as much in `make test`, where other tests take the processor."""
    return seconds if IS_LONG else 3 * seconds
