"""How runs, times and numbers are written in a terminal; the same words as on the web page."""

from __future__ import annotations

import re
import sys
import time
from datetime import datetime
from typing import Any

from pilothouse.model.progress import eta_seconds
from pilothouse.model.run import Group, Progress

MARKS = {
    "queued": "○", "running": "◐", "paused": "‖", "completed": "✓", "failed": "✕", "cancelled": "⊘", "stuck": "▲",
}  # fmt: skip
ASCII_MARKS = {
    "queued": "o", "running": ">", "paused": "=", "completed": "+", "failed": "x", "cancelled": "-", "stuck": "!",
}  # fmt: skip
COLOURS = {
    "queued": "bright_black", "running": "blue", "paused": "magenta", "completed": "green", "failed": "red",
    "cancelled": "yellow", "stuck": "bright_red",
}  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: object) -> str:
    """User text without control bytes, so that no name or answer can move the cursor."""
    return _CONTROL.sub("", str(text))


def speaks_unicode() -> bool:
    """Whether the terminal takes more than ASCII."""
    return (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "") == "utf8"


def look(run: dict[str, Any]) -> str:
    """The key of a run's mark and colour."""
    return "stuck" if run["stuck"] else str(run["status"])


def mark(run: dict[str, Any]) -> str:
    """The run's sign."""
    return (MARKS if speaks_unicode() else ASCII_MARKS)[look(run)]


def status_words(run: dict[str, Any], unit: str = "item") -> str:
    """Where the run stands, with what was asked of it."""
    if run["pending"] == "pause":
        return f"Pausing after current {unit}…"
    if run["pending"] == "cancel":
        return "Cancelling…"
    if run["stuck"]:
        return "Stuck"
    if run["status"] == "queued" and run["attempt"] > 0:
        return "Resuming…"
    return str(run["status"]).capitalize()


def duration(seconds: float | None) -> str:
    """840 ms · 12 s · 2m 34s · 1h 05m · 3d 4h."""
    if seconds is None:
        return "–"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d {whole % 86400 // 3600}h"


def remaining(seconds: float | None) -> str:
    """The time left, as rough as the estimate is."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return "< 1 min"
    minutes = round(seconds / 60)
    if minutes <= 10:
        return f"~{minutes}m"
    if minutes < 60:
        return f"~{round(minutes / 5) * 5}m"
    return f"~{minutes // 60}h {minutes % 60 // 10 * 10:02d}m"


def elapsed(run: dict[str, Any]) -> float:
    """Seconds of running, without pauses, up to now."""
    since = run["active_since"]
    extra = time.time() - datetime.fromisoformat(since).timestamp() if since else 0.0
    return float(run["active_seconds"]) + max(0.0, extra)


def eta(run: dict[str, Any]) -> float | None:
    """Seconds left, None without an honest estimate."""
    if run["status"] != "running" or run["pending"]:
        return None
    told = run["progress"]
    progress = Progress(
        told["done"],
        told["failed"],
        told["reused"],
        told["total"],
        tuple((done, seconds) for done, seconds in told["marks"]),
        {name: Group(**group) for name, group in told["groups"].items()},
    )
    return eta_seconds(progress, elapsed(run))


def percent(run: dict[str, Any]) -> int | None:
    """Whole percent, rounded down: 100 only at the end."""
    total = run["progress"]["total"]
    return run["progress"]["done"] * 100 // total if total else None


def counts(run: dict[str, Any]) -> str:
    """`200/500`, or how many without a total."""
    progress = run["progress"]
    return (
        f"{progress['done']}/{progress['total']}" if progress["total"] is not None else str(progress["done"])
    )


def bar(run: dict[str, Any], width: int = 10) -> str:
    """The progress as a bar."""
    full, empty = ("━", "─") if speaks_unicode() else ("#", ".")
    share = percent(run) or 0
    filled = share * width // 100
    return full * filled + empty * (width - filled)


def number(value: Any, format_: str = "number") -> str:  # noqa: PLR0911
    """A metric's value as its format says."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return clean(value)
    match format_:
        case "percent":
            return f"{value * 100:.1f} %"
        case "integer":
            return f"{value:,.0f}"
        case "money":
            return "<$0.01" if 0 < value < 0.01 else f"${value:,.2f}"
        case "milliseconds":
            return duration(value / 1000)
        case "seconds":
            return duration(value)
        case _:
            return f"{value:.4g}"


def headline(run: dict[str, Any], kind: dict[str, Any] | None) -> str:
    """The run's result in a few words: why it failed, or its kind's headline."""
    if run["failure"]:
        return clean(run["failure"]["message"])
    if not kind or not kind["headline"]:
        return ""
    metric = next((each for each in kind["metrics"] if each["name"] == kind["headline"]), None)
    value = run["metrics"].get(kind["headline"])
    if metric is None or value is None:
        return ""
    return f"{metric['label'].lower()} {number(value, metric['format'])}"
