"""The body of a chat completion request, checked."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pilothouse.llm.offline.chat import Wanted


class BadRequest(Exception):
    """A request that cannot be answered, in OpenAI's shape.

    Args:
        message: What is wrong.
        param: The field that is wrong.
    """

    def __init__(
        self, message: str, *, param: str | None = None, status: int = 400, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.status = status
        self.code = code

    def body(self) -> dict[str, Any]:
        """What goes under `error`."""
        return {
            "message": self.message,
            "type": "invalid_request_error",
            "param": self.param,
            "code": self.code,
        }


@dataclass(frozen=True, slots=True)
class Request:
    """A checked request."""

    wanted: Wanted
    stream: bool


def read_body(body: bytes, model_id: str) -> Request:
    """Check a request.

    Raises:
        BadRequest: Not JSON, an unknown model, or a malformed field.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest("The body is not JSON.") from None
    if not isinstance(data, dict):
        raise BadRequest("The body must be a JSON object.")
    model = data.get("model")
    if not isinstance(model, str):
        raise BadRequest("model: is missing; use 'offline'.", param="model")
    if model != model_id:
        text = f"The model {model!r} does not exist; this server has {model_id!r}."
        raise BadRequest(text, param="model", status=404, code="model_not_found")
    if data.get("n", 1) != 1:
        raise BadRequest("n: only 1 is possible.", param="n")
    number = _number(data)
    stop = data.get("stop") or ()
    if not isinstance(stop, str | list | tuple):
        raise BadRequest("stop: must be a text or a list of texts.", param="stop")
    limit = number("max_completion_tokens", 1) or number("max_tokens", 1)
    return Request(
        Wanted(
            messages=_messages(data.get("messages")),
            max_tokens=int(limit) if limit is not None else None,
            temperature=min(1.0 if (t := number("temperature", 0)) is None else t, 2.0),
            seed=None if (seed := number("seed", -math.inf)) is None else int(seed),
            stop=(stop,) if isinstance(stop, str) else tuple(str(text) for text in stop),
            response_format=_object(data, "response_format"),
        ),
        stream=bool(data.get("stream")),
    )


def _number(data: dict[str, Any]) -> Callable[[str, float], float | None]:
    def number(name: str, least: float) -> float | None:
        value = data.get(name)
        if value is None:
            return None
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not (least <= value < math.inf and value > -math.inf)
        ):
            raise BadRequest(f"{name}: must be a number of at least {least}.", param=name)
        return value

    return number


def _object(data: dict[str, Any], name: str) -> dict[str, Any] | None:
    value = data.get(name)
    if value is not None and not isinstance(value, dict):
        raise BadRequest(f"{name}: must be an object.", param=name)
    return value


def _messages(messages: Any) -> list[tuple[str, str]]:
    if not isinstance(messages, list) or not messages:
        raise BadRequest("messages: must be a list with at least one message.", param="messages")
    return [_message(message, number) for number, message in enumerate(messages)]


def _message(message: Any, number: int) -> tuple[str, str]:
    place = f"messages.{number}"
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise BadRequest(f"{place}: must be an object with role and content.", param=place)
    content = message.get("content")
    if isinstance(content, list):
        parts = [part.get("text", "") for part in content if isinstance(part, dict)]
        content = "\n".join(str(part) for part in parts)
    if content is not None and not isinstance(content, str):
        raise BadRequest(f"{place}.content: must be text.", param=f"{place}.content")
    return message["role"], content or ""
