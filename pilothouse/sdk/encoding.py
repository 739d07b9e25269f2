"""Writes an event as JSON that every reader can read, whatever the job puts into it.

NaN and Infinity become their names, numpy and torch values plain numbers and
lists, anything else its text. An event above the limit is cut where it is
largest, and the cut is said in its place and in a notice: nothing gets lost in silence.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

LIMIT_BYTES = 60_000
DEEPEST = 16  # the server takes no event whose data is nested deeper
SCALARS = frozenset({str, int, float, bool, type(None)})
_MARK = "… [{left} characters left out: an event holds 64 KB]"


def encode(type_: str, data: Mapping[str, Any]) -> tuple[bytes, str | None]:
    """One event as JSON of at most 64 KB.

    Returns:
        UTF-8 without line breaks, and a notice in words when something had to be cut or put into text.
    """
    notice: str | None = None
    text = dump({"type": type_, "data": data})
    if text.count(b"{") + text.count(b"[") > DEEPEST and is_deep(data):
        data = clean(data)
        text = dump({"type": type_, "data": data})
        notice = f"{_name(type_, data)}: nested deeper than {DEEPEST}; what lies deeper is kept as text"
    if len(text) <= LIMIT_BYTES:
        return text, notice
    kept: dict[str, Any] = json.loads(text)["data"]
    notice = _shrink(type_, kept)
    return dump({"type": type_, "data": kept}), notice


def is_deep(value: Any, room: int = DEEPEST) -> bool:
    """True when mappings and lists are nested in each other more than `room` times."""
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, list | tuple | set | frozenset):
        return False
    return room == 0 or any(is_deep(each, room - 1) for each in value)


def dump(value: Any) -> bytes:
    """Any value as valid JSON, UTF-8 on one line."""
    try:
        text = _dumps(value)
    except (ValueError, TypeError, RecursionError):
        text = _dumps(clean(value))
    return text.encode("utf-8", "replace")


def clean(value: Any, depth: int = 0) -> Any:
    """A copy that JSON can hold: words for NaN and Infinity, text for what it does not know."""
    if isinstance(value, float):
        return _name_non_finite(value)
    if type(value) in SCALARS:
        return value
    if depth >= DEEPEST:
        return _text(value)
    if isinstance(value, Mapping):
        return {_text(key): clean(entry, depth + 1) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(entry, depth + 1) for entry in value]
    return clean(_plain(value), depth + 1)


def _name_non_finite(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def _plain(value: Any) -> Any:
    """Numbers and lists of array libraries, lists of sets, mappings; the text of everything else."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, set | frozenset):
        return list(value)
    if isinstance(value, Mapping):
        return dict(value)
    return _text(value)


_dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain).encode


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception as error:  # a job's own __str__ may do anything
        return f"<{type(value).__name__} without a text: {type(error).__name__}>"


def _shrink(type_: str, data: dict[str, Any]) -> str:
    """Cut the largest fields of `data` in place until the event fits; say which."""
    inner = data.get("data")
    fields = inner if isinstance(inner, dict) and len(dump(inner)) > LIMIT_BYTES // 2 else data
    cut: list[str] = []
    while (excess := len(dump({"type": type_, "data": data})) - LIMIT_BYTES) > 0:
        name, size = max(((n, len(dump(v))) for n, v in fields.items()), key=lambda pair: pair[1])
        if size < 1_000 or len(cut) == 20:
            cut += _drop_last(data, fields)
            break
        fields[name] = _cut(fields[name], max(500, size - excess - 200), size)
        cut.append(name)
    return f"{_name(type_, data)}: cut to 64 KB ({', '.join(dict.fromkeys(cut))}); keep large texts in an artifact"


def _name(type_: str, data: Mapping[str, Any]) -> str:
    """What a notice calls an event."""
    return f"{type_} {data['key']!r}" if "key" in data else type_


def _cut(value: Any, keep_bytes: int, size_bytes: int) -> str:
    """The beginning of a text that is about `keep_bytes` long as JSON, and how much is missing."""
    text = value if isinstance(value, str) else dump(value).decode()
    keep = int(len(text) * keep_bytes / size_bytes)
    return text[:keep] + _MARK.format(left=f"{len(text) - keep:,}")


def _drop_last(data: dict[str, Any], fields: dict[str, Any]) -> list[str]:
    """Thousands of small fields: keep the first ones that fit, at most half the limit."""
    room, kept = LIMIT_BYTES // 2, 0
    names = list(fields)
    for name in names:
        room -= len(dump({name: fields[name]}))
        if room < 0:
            break
        kept += 1
    needed = frozenset({"key", "ok", "seconds", "error", "group", "data", "step", "values", "text"})
    dropped = [n for n in names[kept:] if fields is not data or n not in needed]
    for name in dropped:
        del fields[name]
    return [f"{len(dropped)} fields", *dropped[:3]]
