"""Numbers that JSON cannot hold, as their names."""

from __future__ import annotations

import math
from typing import Any


def name_non_finite(value: Any) -> Any:
    """`NaN`, `Infinity` and `-Infinity` as words; every other value as it is."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value
