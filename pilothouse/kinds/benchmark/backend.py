"""Who answers: chat models, or for tests a backend that always answers alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pilothouse.kinds.benchmark.answers import response_format
from pilothouse.kinds.benchmark.params import Params
from pilothouse.kinds.benchmark.plan import Test
from pilothouse.kinds.chat import ChatModels
from pilothouse.llm.client import Answer, Retry
from pilothouse.llm.errors import ModelError


class Backend(Protocol):
    """The outside world of a benchmark. Thread-safe."""

    def check(self, model: str) -> ModelError | None:
        """Why a model cannot be asked at all, None when it may be tried."""

    def ask(self, test: Test) -> Answer:
        """Ask one question.

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
        name: Gives the idempotency key of a test's key.
        folder: Of the run.
        is_resumed: An earlier attempt has asked these models.
    """

    def __init__(
        self,
        params: Params,
        on_retry: Callable[[Retry], None],
        name: Callable[[str], str],
        folder: Path | None = None,
        is_resumed: bool = False,
    ) -> None:
        form = response_format(params.answer_format, params.ballot())
        super().__init__(params, form, on_retry, folder, is_resumed=is_resumed)
        self._name = name

    def ask(self, test: Test) -> Answer:
        """See `Backend`."""
        return self.say(test.model.name, test.input, test.seed, self._name(test.key))


class DeterministicBackend:
    """Answers by arithmetic, at once, the same every time. For tests only.

    Args:
        right: Out of 100 tests, about so many are answered right.
        votes: What it answers else.
    """

    def __init__(self, right: int = 70, votes: tuple[str, ...] = ("REAL", "WEAKNESS")) -> None:
        self._right = right
        self._votes = votes

    def check(self, model: str) -> ModelError | None:
        """Every model may be asked."""
        return None

    def ask(self, test: Test) -> Answer:
        """The true vote or another, by the digest of the test's key."""
        number = int.from_bytes(hashlib.sha256(test.key.encode()).digest()[:4], "big")
        wrong = next((vote for vote in self._votes if vote != test.expected), "")
        vote = test.expected if number % 100 < self._right else wrong
        return Answer(f"*VOTE: {vote}", tokens_in=len(test.input.split()), tokens_out=3, seconds=0.001)

    def cost(self, model: str, tokens_in: int, tokens_out: int) -> float | None:
        """A cent for a thousand tokens."""
        return (tokens_in + tokens_out) / 100_000
