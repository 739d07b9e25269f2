"""Who writes: chat models, or for tests a backend that always writes alike."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pilothouse.kinds.chat import OUTAGE_SECONDS, ChatModels
from pilothouse.kinds.generation.params import Params
from pilothouse.llm.client import Answer, Retry
from pilothouse.llm.errors import ModelError


@dataclass(frozen=True, slots=True)
class Request:
    """What a model is asked once.

    Attributes:
        key: Names this request in every attempt of the run.
    """

    model: str
    text: str
    seed: int
    key: str


class Backend(Protocol):
    """The outside world of a batch. Thread-safe."""

    def check(self, model: str) -> ModelError | None:
        """Why a model cannot be asked at all, None when it may be tried."""

    def ask(self, request: Request) -> Answer:
        """Ask once.

        Raises:
            ModelError: No answer.
        """

    def cost(self, model: str, tokens_in: int, tokens_out: int) -> float | None:
        """Dollars, None when the price is not known."""


class ChatBackend(ChatModels):
    """Chat models behind OpenAI-compatible endpoints.

    Args:
        params: Of the run.
        on_retry: Told before each wait, in the thread that asks.
        folder: Of the run.
        is_resumed: An earlier attempt has asked these models.
    """

    def __init__(
        self,
        params: Params,
        on_retry: Callable[[Retry], None],
        folder: Path | None = None,
        is_resumed: bool = False,
    ) -> None:
        patience = OUTAGE_SECONDS if len(params.models) == 1 else 0.0  # else another one is asked meanwhile
        super().__init__(params, params.form().response_format, on_retry, folder, patience, is_resumed)

    def ask(self, request: Request) -> Answer:
        """See `Backend`."""
        return self.say(request.model, request.text, request.seed, request.key)


class DeterministicBackend:
    """Writes by arithmetic, at once, the same for the same seed. For tests only.

    Args:
        params: Of the run; the form of a sample is read from them.
    """

    def __init__(self, params: Params) -> None:
        self._names = list((params.sample_schema or {}).get("properties", params.sections))
        self._is_object = params.sample_schema is not None

    def check(self, model: str) -> ModelError | None:
        """Every model may be asked."""
        return None

    def ask(self, request: Request) -> Answer:
        """Twelve words for each field, by the digest of seed and request."""
        digest = hashlib.sha256(f"{request.seed} {request.text}".encode()).digest()
        dice = random.Random(digest)  # noqa: S311 - arithmetic for tests, no secret
        fields = {name: " ".join(f"w{dice.randrange(10**6)}" for _ in range(12)) for name in self._names}
        text = self._written(fields) if fields else f"w{dice.randrange(10**9)} alone"
        tokens = len(re.findall(r"\w+", text))
        return Answer(text, tokens_in=len(request.text.split()), tokens_out=tokens, seconds=0.001)

    def _written(self, fields: dict[str, Any]) -> str:
        if self._is_object:
            return json.dumps(fields)
        return "\n".join(f"## {name}\n{text}" for name, text in fields.items())

    def cost(self, model: str, tokens_in: int, tokens_out: int) -> float | None:
        """A cent for a thousand tokens."""
        return (tokens_in + tokens_out) / 100_000
