"""How runs, times and numbers are written in a terminal; the same words as on the web page."""

from __future__ import annotations

import math
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


def status_words(run: dict[str, Any], unit: str = "item", stuck_seconds: float | None = None) -> str:
    """Where the run stands, with what was asked of it, by whom and why; the words of the page."""
    brief = status_brief(run, unit, stuck_seconds)
    if run["pending"] or run["stuck"]:
        return brief
    if run["status"] == "queued" and wait_left(run) > 0 and run["notice"]:
        return f"{brief} after a crash ({clean(run['notice'])})"
    if run["status"] == "cancelled" and run["ended_by"]:
        return _said(f"Cancelled by {clean(run['ended_by'])}", run["reason"])
    return _paused_words(run) if run["status"] == "paused" else brief


def _paused_words(run: dict[str, Any]) -> str:
    who = f"Paused by {clean(run['paused_by'])}" if run["paused_by"] else "Paused"
    freed = "memory freed" if is_freed(run) else None
    head = _said(who, run["reason"]) if run["reason"] else ", ".join(filter(None, [who, freed]))
    parts = [head, freed if run["reason"] else None, until_words(run["until"]) if run["until"] else None]
    return " · ".join(filter(None, parts))


def status_brief(run: dict[str, Any], unit: str = "item", stuck_seconds: float | None = None) -> str:
    """The same for a column: no names and no reasons."""
    if run["pending"] in ("pause", "cancel"):
        asked = "Freeing memory…" if run["status"] == "paused" else f"Pausing after current {unit}…"
        return "Cancelling…" if run["pending"] == "cancel" else asked
    if run["stuck"]:
        return "Stuck" if stuck_seconds is None else f"Stuck {briefly(stuck_seconds)}"
    if run["status"] == "queued" and run["attempt"] > 0:
        left = wait_left(run)
        return f"Resumes in {duration(math.ceil(left))}" if left > 0 else "Resuming…"
    if run["status"] == "paused" and (run["until"] or is_freed(run)):
        return f"Paused, {until_words(run['until']) if run['until'] else 'memory freed'}"
    return str(run["status"]).capitalize()


def remarks(run: dict[str, Any], unit: str = "item") -> list[str]:
    """What holds the run up, one sentence each."""
    said: list[str] = []
    if run["survivors"] is not None and run["pending"] == "cancel":
        one = run["survivors"] == 1
        said.append(
            f"{run['survivors']} {'process does' if one else 'processes do'} not die. "
            f"The run stays “Cancelling…” until {'it is' if one else 'they are'} gone."
        )
    if run["stuck"]:
        said.append(stuck_sentence(run["stuck_cause"], unit))
    elif run["notice"] and not run["failure"] and wait_left(run) == 0:
        said.append(clean(run["notice"]))
    if run["attached"] and not run["ended_at"]:
        said.append("It runs in a terminal (attached).")
    return said


def stuck_sentence(cause: str | None, unit: str = "item") -> str:
    """What a stuck run lacks, and what is known of its process."""
    silence = f"No {unit}, metric or phase."
    if not cause:
        return silence
    said = clean(cause)
    hang = "; a call to a model may hang" if "idle" in said.split() else ""
    return f"{silence} {said[:1].upper()}{said[1:]}{hang}."


def preview_words(preview: dict[str, Any], unit: str = "unit") -> str:
    """What a resume or a retry would keep, repeat and do, and what that takes; the unknown is left out."""
    parts = [f"{preview['kept']} kept"]
    if preview.get("total") is not None and preview["kept"] < preview["total"]:
        parts = [f"continues at {unit} {preview['kept'] + 1:,} of {preview['total']:,}"]
    parts += [f"{preview['repeated']} repeated"] if preview["repeated"] else []
    parts += ["the rest left" if preview["left"] is None else f"{preview['left']} left"]
    parts += [f"about {roundly(preview['seconds'])}"] if preview.get("seconds") is not None else []
    parts += [f"about {number(preview['cost'], 'money')}"] if preview.get("cost") is not None else []
    return " · ".join(parts)


def is_freed(run: dict[str, Any]) -> bool:
    """Whether a paused run's process has left; one that never began has no memory to free."""
    return bool(run["strength"] == "release" and run["attempt"] > 0)


def wait_left(run: dict[str, Any]) -> float:
    """Seconds until the next attempt may begin, 0 without a back-off."""
    if run["status"] != "queued" or not run["wait_seconds"] or not run["last_event_at"]:
        return 0.0
    since = time.time() - datetime.fromisoformat(run["last_event_at"]).timestamp()
    return max(0.0, float(run["wait_seconds"]) - since)


def until_words(until: str) -> str:
    """`resumes at 16:40`, with the day where it is another one."""
    end = datetime.fromisoformat(until).astimezone()
    now = datetime.now().astimezone()
    if end <= now:
        return "resumes now"
    if end.date() == now.date():
        return f"resumes at {end:%H:%M}"
    return f"resumes {end.day} {end:%b %H:%M}"


def _said(what: str, reason: str | None) -> str:
    return f"{what}: {clean(reason)}" if reason else what


def briefly(seconds: float) -> str:
    """40 s · 4m · 1h 05m: where the seconds do not matter."""
    if seconds < 1:
        return "0 s"
    return f"{int(seconds) // 60}m" if 60 <= seconds < 3600 else duration(int(seconds))


def roundly(seconds: float) -> str:
    """A forecast, as rough as it is: 40 s · 4 min · 1h 05m."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else duration(minutes * 60)


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
        case "bytes":
            return size(value)
        case _:
            return f"{value:.4g}"


def size(count: float) -> str:
    """Bytes in words, such as `14.2 MB`; a kilobyte has 1,000."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1000
    raise AssertionError


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
