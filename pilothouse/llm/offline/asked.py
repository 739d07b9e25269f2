"""What a request asks for: a label, an object, reasons, or a text.

A large model understands this; the offline model reads it from the usual
phrases: "one of: A, B, C", `*VOTE: X`, "reasoning", "JSON", "sections" with `## Headings`,
and from `response_format`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_LISTED = re.compile(r"(?:one of|either|choose from)(?: these)?\s*:?\s*([^\n.;]+)", re.IGNORECASE)
_SPLIT = re.compile(r"\s*(?:,|\||/|\bor\b|\band\b)\s*", re.IGNORECASE)
_MARKER = re.compile(r"(\*{0,2}[A-Z][A-Z_]{2,}\s*:)\s*\*{0,2}(?:X|<[^>\n]+>|\.\.\.|…|YOUR\b)")
_REASONS = re.compile(r"\b(?:reason\w*|explain|explanation|why|step by step)\b", re.IGNORECASE)
_JSON = re.compile(r"\bjson\b", re.IGNORECASE)
_SECTIONS = re.compile(r"\b(?:sections?|headings?)\b", re.IGNORECASE)
_SECTION = re.compile(r"^#{1,3} +(\S[^\n]*?) *$", re.MULTILINE)
_KEY = re.compile(r'"(\w+)"\s*:')
_LONGEST_LABEL = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """What the answer should hold.

    Attributes:
        labels: Labels to choose from; empty when a text is wanted.
        marker: What to write before the label, such as `*VOTE:`; None without.
        reasons: True when reasons are wanted before the label.
        properties: Properties of the object that is wanted, as JSON Schema; None for no object.
        sections: Headings to write a text below.
    """

    labels: tuple[str, ...] = ()
    marker: str | None = None
    reasons: bool = False
    properties: Mapping[str, Mapping[str, Any]] | None = None
    sections: tuple[str, ...] = ()


def read_request(prompt: str, response_format: Mapping[str, Any] | None) -> Asked:
    """Find out what a prompt and its `response_format` ask for."""
    labels = _labels(prompt)
    marker = _MARKER.findall(prompt)
    reasons = bool(_REASONS.search(prompt))
    kind = (response_format or {}).get("type")
    properties: Mapping[str, Mapping[str, Any]] | None = None
    if kind == "json_schema" and response_format is not None:
        schema = response_format.get("json_schema", {}).get("schema", {})
        properties = {name: part for name, part in schema.get("properties", {}).items() if _is_object(part)}
    elif kind == "json_object" or (_JSON.search(prompt) and not marker):
        keys = dict.fromkeys(_KEY.findall(prompt)) or {"answer": None}
        properties = {key: {"enum": labels} if _is_label(key, labels) else {} for key in keys}
    sections = tuple(dict.fromkeys(_SECTION.findall(prompt))) if _SECTIONS.search(prompt) else ()
    return Asked(labels, marker[-1] if marker else None, reasons, properties, sections)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_label(key: str, labels: Sequence[str]) -> bool:
    return bool(labels) and key.lower() in ("vote", "label", "verdict", "answer", "class", "category")


def _labels(prompt: str) -> tuple[str, ...]:
    """The labels that the prompt lists last."""
    for listed in reversed(_LISTED.findall(prompt)):
        names = [name.strip(" \t\"'`*()[]") for name in _SPLIT.split(listed)]
        names = [name for name in names if name and len(name) <= _LONGEST_LABEL]
        if len(names) >= 2:
            return tuple(dict.fromkeys(names))
    return ()
