"""From a model's answer to a vote.

Three forms: a marker (`*VOTE: X`), an object (`{"vote": "X"}`), or an object that
the endpoint enforces. `<think>` blocks are left out first. Anything else is a
parse failure with a reason. Nothing here raises, whatever a model writes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pilothouse.kinds.benchmark.votes import Ballot, plain
from pilothouse.kinds.replies import objects, without_thinking

AnswerFormat = Literal["marker", "json", "schema"]

_MARKER = re.compile(r"\*{0,2}\bVOTE\b\*{0,2}[ \t]{0,3}[:=]", re.IGNORECASE)
_CONFIDENCE = re.compile(
    r"\bCONFIDENCE\b\*{0,2}[ \t]{0,3}[:=][ \t*]{0,4}(\d{1,3}(?:\.\d{1,6})?)[ \t]?(%?)", re.IGNORECASE
)
_VOTE_KEYS = ("vote", "verdict", "label", "classification", "answer")
_REASON_KEYS = ("reasoning", "reason", "explanation", "rationale")
_LONGEST_NAME = 8
_QUOTED = 60

INSTRUCTIONS = {
    "marker": "End with one line: *VOTE: X",
    "json": 'Answer with one JSON object: {"vote": "X", "confidence": 0.0, "reasoning": "why"}',
    "schema": "Answer with vote, confidence (0 to 1) and reasoning.",
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """What an answer says.

    Attributes:
        vote: The vote's declared name, None when there is none to be found.
        confidence: 0 to 1, None when it is not told.
        error: Why there is no vote.
    """

    vote: str | None = None
    confidence: float | None = None
    reasoning: str = ""
    error: str | None = None


def response_format(form: AnswerFormat, ballot: Ballot) -> dict[str, Any] | None:
    """What to ask of the endpoint, None where the prompt alone must do."""
    if form == "marker":
        return None
    if form == "json":
        return {"type": "json_object"}
    properties = {
        "reasoning": {"type": "string"},
        "vote": {"type": "string", "enum": list(ballot.names)},
        "confidence": {"type": "number"},
    }
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": "vote", "strict": True, "schema": schema}}


def parse(text: str, ballot: Ballot, form: AnswerFormat = "marker") -> Parsed:
    """Read the vote out of an answer. The last one counts."""
    said, thought = without_thinking(text)
    if not said.strip():
        reason = "the answer ends within its thinking" if thought else "the answer is empty"
        return Parsed(reasoning=thought, error=reason)
    reader: Callable[[str, Ballot], Parsed] = _marker if form == "marker" else _object
    parsed = reader(said, ballot)
    return Parsed(parsed.vote, parsed.confidence, parsed.reasoning or thought, parsed.error)


def _marker(text: str, ballot: Ballot) -> Parsed:
    found = list(_MARKER.finditer(text))
    confidence = _read_confidence(text)
    if not found:
        return Parsed(confidence=confidence, reasoning=text.strip(), error="no marker *VOTE: in the answer")
    reasoning = text[: found[-1].start()].strip()
    named = (text[found[-1].end() :].split("\n", 1)[0]).strip()
    vote = _first_vote(named, ballot)
    return Parsed(vote, confidence, reasoning, None if vote else _unknown(named))


def _first_vote(text: str, ballot: Ballot) -> str | None:
    """The vote that a line begins with; the longest name wins, what follows does not matter."""
    words = plain(text[:400]).split()
    for count in range(min(len(words), _LONGEST_NAME), 0, -1):
        if vote := ballot.find(" ".join(words[:count])):
            return vote
    return None


def _unknown(named: str) -> str:
    short = named if len(named) <= _QUOTED else named[:_QUOTED] + "…"
    return f"{short!r} is none of the votes" if short else "nothing follows the marker *VOTE:"


def _read_confidence(text: str) -> float | None:
    found = _CONFIDENCE.findall(text)
    return _share(float(found[-1][0]), is_percent=bool(found[-1][1])) if found else None


def _object(text: str, ballot: Ballot) -> Parsed:
    """The last object of the text that holds a vote."""
    parsed = Parsed(reasoning=text.strip(), error="no JSON object in the answer")
    for found in objects(text):
        values = {str(key).casefold(): value for key, value in found.items()}
        key = next((key for key in _VOTE_KEYS if key in values), None)
        if key is None:
            if parsed.vote is None:
                parsed = Parsed(reasoning=text.strip(), error="the JSON object holds no vote")
            continue
        named = values[key]
        is_name = isinstance(named, str | int) and not isinstance(named, bool)
        vote = ballot.find(str(named)) if is_name else None
        reasons = (values[key] for key in _REASON_KEYS if isinstance(values.get(key), str))
        error = None if vote else f"{str(named)[:_QUOTED]!r} is none of the votes"
        parsed = Parsed(vote, _number(values.get("confidence")), next(reasons, ""), error)
    return parsed


def _number(value: Any) -> float | None:
    """A confidence as models write it: 0.9, 90, "90 %"."""
    if isinstance(value, str):
        text = value.strip()
        is_percent = text.endswith("%")
        try:
            return _share(float(text.rstrip("% ")), is_percent=is_percent)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return _share(float(value), is_percent=False)
    except OverflowError:
        return None


def _share(value: float, *, is_percent: bool) -> float | None:
    share = value / 100 if is_percent or value > 1 else value
    return share if math.isfinite(share) and 0 <= share <= 1 else None
