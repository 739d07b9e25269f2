"""When a pause is to end, as people say it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pilothouse.errors import Invalid
from pilothouse.web.moment import moment

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("90s", "2026-01-31T12:01:30.000Z"),
        ("30m", "2026-01-31T12:30:00.000Z"),
        ("1.5h", "2026-01-31T13:30:00.000Z"),
        ("2 d", "2026-02-02T12:00:00.000Z"),
        (600, "2026-01-31T12:10:00.000Z"),
        ("2026-01-31T18:00:00Z", "2026-01-31T18:00:00.000Z"),
        ("2026-01-31T18:00:00+02:00", "2026-01-31T16:00:00.000Z"),
        ("2026-01-31 18:00", "2026-01-31T18:00:00.000Z"),
    ],
)
def test_a_moment_is_a_time_or_a_duration(said: str | float, meant: str) -> None:
    assert moment(said, NOON) == meant


@pytest.mark.parametrize(
    "said", ["", "soon", "-5m", "0", "2026-01-31T11:59:59Z", "99999d", "9" * 400, "2026-13-01", "5 weeks"]
)
def test_what_is_no_moment_is_refused_by_name(said: str) -> None:
    with pytest.raises(Invalid) as refusal:
        moment(said, NOON)

    assert refusal.value.details["field"] == "until"
    assert "30m" in (refusal.value.hint or "")
