"""When a pause is to end, as people say it: a time, or a duration from now."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from pilothouse import clock
from pilothouse.errors import Invalid

_DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>s|sec|m|min|h|d)?")
_SECONDS = {None: 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
LONGEST = timedelta(days=366)


def moment(text: str | float, now: datetime | None = None) -> str:
    """The moment that a time or a duration names, as ISO 8601 in UTC.

    Args:
        text: `2026-01-31T18:00:00Z` (without an offset: UTC), `90s`, `30m`, `2h`, `1d`,
            or a number of seconds.
        now: The present time; None asks the clock.

    Raises:
        Invalid: Neither; or it has passed, or is more than a year away.
    """
    now = now or datetime.fromisoformat(clock.now())
    end = _parsed(str(text), now)
    if not now < end <= now + LONGEST:
        raise _bad(text, "it must lie between now and a year from now")
    return end.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def duration_seconds(text: str) -> float | None:
    """The seconds of a duration such as `90`, `90s`, `30m`, `2h` or `1d`; None for anything else."""
    found = _DURATION.fullmatch(text.strip())
    return float(found["number"]) * _SECONDS[found["unit"]] if found else None


def _parsed(text: str, now: datetime) -> datetime:
    try:
        if (seconds := duration_seconds(text)) is not None:
            return now + timedelta(seconds=seconds)
        end = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise _bad(text, "it is neither a time nor a duration") from None
    return end if end.tzinfo else end.replace(tzinfo=UTC)


def _bad(text: str | float, why: str) -> Invalid:
    hint = "Use a time such as 2026-01-31T18:00:00Z, or a duration such as 90s, 30m, 2h, 1d."
    return Invalid(f"until: {str(text)[:60]!r}: {why}", hint=hint, field="until")
