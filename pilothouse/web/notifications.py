"""Who is told elsewhere when a long run ends, and a try-out."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Response

from pilothouse.errors import Conflict
from pilothouse.model.run import Run
from pilothouse.sdk.kind import Kind
from pilothouse.web.context import Ctx
from pilothouse.web.runs import answer

_FORMATS = {
    "integer": "{:,.0f}",
    "percent": "{:.1%}",
    "money": "${:,.2f}",
    "seconds": "{:,.1f} s",
    "milliseconds": "{:,.0f} ms",
}
router = APIRouter(prefix="/api/notifications")


@router.get("")
async def notifications(context: Ctx) -> Response:
    """Who is told, of which ends."""
    notifier = context.notifier
    return answer(
        {
            "channels": [{"name": each.name, "address": each.address} for each in notifier.channels],
            "statuses": sorted(notifier.wanted.statuses),
            "seconds": notifier.wanted.seconds,
        }
    )


@router.post("/test")
async def try_out(context: Ctx) -> Response:
    """Send a test to everybody; says what became of it."""
    if not context.notifier.channels:
        hint = "Set PILOTHOUSE_SMTP or PILOTHOUSE_WEBHOOK where the server starts; see docs/howto/notifications.md."
        raise Conflict("Nobody is told elsewhere: neither e-mail nor a webhook is set.", hint=hint)
    failures = await context.notifier.try_out()
    told = [
        {
            "name": name,
            "ok": failure is None,
            "error": failure.message if failure else None,
            "hint": failure.hint if failure else None,
        }
        for name, failure in failures.items()
    ]
    return answer({"results": told})


def numbers_of(run: Run, kinds: Mapping[str, Kind]) -> list[tuple[str, str]]:
    """A run's metrics in the order in which its kind declares them, as people read them."""
    declared = kinds[run.kind].metrics if run.kind in kinds else ()
    told = [(metric, run.metrics.get(metric.name)) for metric in declared]
    return [
        (metric.label, _FORMATS.get(metric.format, "{:,.4g}").format(value))
        for metric, value in told
        if isinstance(value, int | float)
    ]
