"""Who answers: chat models, or for tests a backend that always answers alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Protocol

from pilothouse.kinds.benchmark.answers import response_format
from pilothouse.kinds.benchmark.params import Params
from pilothouse.kinds.benchmark.parts import Model
from pilothouse.kinds.benchmark.plan import Test
from pilothouse.llm.client import Answer, ChatClient, Retry
from pilothouse.llm.client import Model as ChatModel
from pilothouse.llm.errors import ModelError
from pilothouse.llm.pace import RateLimit
from pilothouse.llm.prices import Prices


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


class ChatBackend:
    """Chat models behind OpenAI-compatible endpoints.

    Args:
        params: Of the run.
        on_retry: Told before each wait, in the thread that asks.
        name: Gives the idempotency key of a test's key.
    """

    def __init__(self, params: Params, on_retry: Callable[[Retry], None], name: Callable[[str], str]) -> None:
        self._name = name
        self._params = params
        self._prices = Prices.load(params.prices)
        self._format = response_format(params.answer_format, params.ballot())
        limits = rate_limits(params.models)
        self._clients = {
            model.name: ChatClient(
                ChatModel(model.name, model.base_url, model.api_key_env, model.model),
                limit=limits[model.base_url],
                retries=params.retries,
                on_retry=on_retry,
            )
            for model in params.models
        }

    def check(self, model: str) -> ModelError | None:
        """See `Backend`."""
        try:
            self._clients[model].check()
        except ModelError as error:
            return error
        return None

    def ask(self, test: Test) -> Answer:
        """See `Backend`."""
        params = self._params
        return self._clients[test.model.name].ask(
            [{"role": "user", "content": test.input}],
            temperature=params.temperature,
            seed=test.seed,
            timeout=params.timeout_seconds,
            max_tokens=params.max_tokens,
            response_format=self._format,
            idempotency_key=self._name(test.key),
        )

    def cost(self, model: str, tokens_in: int, tokens_out: int) -> float | None:
        """See `Backend`."""
        return self._prices.cost(self._clients[model].model.id, tokens_in, tokens_out)


def rate_limits(models: list[Model]) -> Mapping[str, RateLimit]:
    """One limit for each endpoint: the lowest that its models name."""
    named: dict[str, list[float]] = {}
    for model in models:
        named.setdefault(model.base_url, []).extend([model.rpm] if model.rpm else [])
    return {url: RateLimit(min(limits, default=None)) for url, limits in named.items()}


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
