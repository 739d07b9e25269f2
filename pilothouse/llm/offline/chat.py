"""Chat on top of the language model: messages in, an answer out."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pilothouse.llm.offline.asked import Asked, read_request
from pilothouse.llm.offline.model import Choice, LanguageModel
from pilothouse.llm.offline.tokens import pieces, write

LONGEST_REASONS = 60
LONGEST_TEXT = 400
LONGEST_LIST = 10
_STOP = frozenset({"vote"})
_TALKATIVE = 0.6


@dataclass(frozen=True, slots=True)
class Wanted:
    """A chat request.

    Attributes:
        messages: `(role, content)` pairs.
        max_tokens: Where the answer is cut; None: the model's own limit.
        temperature: 0 is the likeliest answer.
        seed: The same seed gives the same answer; None draws one.
        stop: Texts that end the answer.
    """

    messages: Sequence[tuple[str, str]]
    max_tokens: int | None = None
    temperature: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    response_format: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, cut into the pieces that are streamed: one for each token."""

    pieces: tuple[str, ...]
    tokens_in: int
    finish_reason: str

    @property
    def text(self) -> str:
        """The whole answer."""
        return "".join(self.pieces)


def reply(model: LanguageModel, wanted: Wanted) -> Reply:
    """Answer a chat request."""
    prompt = "\n\n".join(content for _, content in wanted.messages)
    asked = read_request(prompt, wanted.response_format)
    answer = _Answer(model, wanted, prompt).compose(asked)
    is_stopped = False
    for text in wanted.stop:
        if text and text in answer:
            answer, is_stopped = answer[: answer.index(text)], True
    cut = pieces(answer)
    limit = LONGEST_TEXT if wanted.max_tokens is None else wanted.max_tokens
    reason = "length" if len(cut) > limit and not is_stopped else "stop"
    return Reply(tuple(cut[:limit]), len(pieces(prompt)), reason)


class _Answer:
    """One answer in the making."""

    def __init__(self, model: LanguageModel, wanted: Wanted, prompt: str) -> None:
        self._model = model
        self._wanted = wanted
        self._prompt = prompt
        seed = wanted.seed if wanted.seed is not None else random.randrange(2**31)  # noqa: S311
        self._dice = random.Random(f"{seed} {prompt}")  # noqa: S311 - a model's sampling, no secret

    def compose(self, asked: Asked) -> str:
        """The answer in the form that is asked for."""
        if asked.properties is not None:
            values = {name: self._value(name, part, asked) for name, part in asked.properties.items()}
            return json.dumps(values, ensure_ascii=False)
        if asked.sections:
            return "\n\n".join(f"## {section}\n{self._reasons()}" for section in asked.sections)
        if not asked.labels:
            return self._text(LONGEST_TEXT, self._wanted.temperature)
        reasons = self._reasons() if asked.reasons else ""
        label = self._choose(asked.labels, reasons).label
        last = f"{asked.marker} {label}" if asked.marker else label
        return f"{reasons}\n{last}" if reasons else last

    def _value(self, name: str, part: Mapping[str, Any], asked: Asked) -> Any:
        """One property of an object."""
        labels = tuple(str(entry) for entry in part.get("enum", ()))
        if labels:
            return self._choose(labels).label
        if part.get("type") == "boolean":
            return self._choose(("true", "false")).label == "true"
        match part.get("type"):
            case "integer":
                least = _whole(part.get("minimum"), 0)
                return self._dice.randint(least, max(least, _whole(part.get("maximum"), least + 9)))
            case "array":
                each = part.get("items")
                count = min(LONGEST_LIST, max(1, _whole(part.get("minItems"), 1)))
                return [
                    self._value(name, each if isinstance(each, dict) else {}, asked) for _ in range(count)
                ]
        if part.get("type") == "number" or name in ("confidence", "probability"):
            return round(self._choose(asked.labels or ("true", "false")).probability, 2)
        return self._reasons()

    def _choose(self, labels: Sequence[str], reasons: str = "") -> Choice:
        """The label, after what the model itself has said so far."""
        said = f"{self._prompt}\n{reasons}"
        return self._model.choose(
            said, labels, temperature=self._wanted.temperature, seed=self._dice.getrandbits(32)
        )

    def _reasons(self) -> str:
        """A few sentences. Greedy n-grams repeat their training text, so reasons are always drawn."""
        return self._text(LONGEST_REASONS, max(self._wanted.temperature, _TALKATIVE))

    def _text(self, longest: int, temperature: float) -> str:
        limit = min(longest, self._wanted.max_tokens or longest)
        tokens = self._model.write(
            self._prompt,
            max_tokens=limit + 1,
            temperature=temperature,
            seed=self._dice.getrandbits(32),
            stop=_STOP,
        )
        return write(tokens)


def _whole(value: Any, default: int) -> int:
    """A limit of a schema, which may hold anything."""
    return int(value) if isinstance(value, int | float) and abs(value) < 1e9 else default
