"""A chat client for any OpenAI-compatible endpoint.

The `openai` SDK speaks the wire; tries, waits and the rate limit are ours, so
that a run can tell each of them.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pilothouse.llm.endpoint import Answer, Endpoint, Message, Model
from pilothouse.llm.errors import ModelError, Unreachable
from pilothouse.llm.pace import RateLimit, back_off

__all__ = ["Answer", "ChatClient", "Message", "Model", "Retry"]

LONGEST_RETRY_AFTER = 300.0
LETTERS_OF_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Retry:
    """A try that failed and will be repeated after `wait` seconds.

    Attributes:
        number: Of the try that comes.
        retries: How many there are; None while a model is waited for that has answered before.
    """

    model: Model
    error: ModelError
    number: int
    retries: int | None
    wait: float

    @property
    def text(self) -> str:
        """One line for people."""
        if self.retries is None:
            return (
                f"{self.error.message} It has answered before, and is waited for: again in {self.wait:.1f} s."
            )
        return f"{self.error.message} Retry {self.number}/{self.retries} in {self.wait:.1f} s."


class ChatClient:
    """Asks one model. Thread-safe.

    Args:
        model: Whom to ask.
        limit: Shared by all clients of one provider.
        retries: Further tries after an error that may pass.
        outage_seconds: How long a model that has answered before is waited for when nobody answers at its
            address: servers restart, and load their weights for minutes.
        has_answered: It has, when an earlier attempt asked.
        on_retry: Told before each wait, in the thread that asks.
        wait: Waits for seconds.
        clock: Monotonic seconds.
        environ: Where the API key is looked up.
    """

    def __init__(
        self,
        model: Model,
        *,
        limit: RateLimit | None = None,
        retries: int = 3,
        outage_seconds: float = 0.0,
        has_answered: bool = False,
        on_retry: Callable[[Retry], None] = lambda retry: None,
        wait: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.model = model
        self._endpoint = Endpoint(model, environ)
        self._limit = limit or RateLimit(None)
        self._retries = retries
        self._on_retry = on_retry
        self._wait = wait
        self._clock = clock
        self._outage_seconds = outage_seconds
        self._has_answered = has_answered
        self._gone_since: float | None = None
        self._dice = random.Random()  # noqa: S311 - jitter, no secret

    def check(self) -> None:
        """Look for the API key, without asking anybody.

        Raises:
            MissingKey: Its variable is not set.
        """
        self._endpoint.api_key()

    def close(self) -> None:
        """Let the connections go; nothing is asked afterwards."""
        self._endpoint.close()

    def ask(
        self,
        messages: Sequence[Message],
        *,
        temperature: float = 0.0,
        seed: int | None = None,
        timeout: float = 60.0,
        max_tokens: int | None = None,
        response_format: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Answer:
        """Ask for one answer.

        Args:
            timeout: Seconds for one try.
            max_tokens: Where the answer is cut; None: the endpoint decides.
            idempotency_key: Sent along, the same at every try, to endpoints that know such keys.

        Raises:
            ModelError: No answer; its class says why, `hint` the way out, `attempts` how often it was tried.
        """
        options: dict[str, Any] = {"temperature": temperature, "seed": seed, "max_tokens": max_tokens}
        options["response_format"] = response_format
        options["extra_headers"] = {"Idempotency-Key": idempotency_key} if idempotency_key else None
        given = {name: value for name, value in options.items() if value is not None}
        guess = sum(len(entry.get("content", "")) for entry in messages) // LETTERS_OF_A_TOKEN + (
            max_tokens or 0
        )
        attempt = 1
        while True:
            reckoned = self._limit.take_turn(guess)
            try:
                answer = self._endpoint.ask(messages, given, timeout)
            except ModelError as error:
                error.attempts = attempt
                self._wait_after(error)
            else:
                self._has_answered, self._gone_since = True, None
                self._limit.spend(answer.tokens_in + answer.tokens_out, reckoned)
                return replace(answer, attempts=attempt)
            attempt += 1

    def _wait_after(self, error: ModelError) -> None:
        """Wait before the next try; raises the error when there is none."""
        is_last, is_outage = error.attempts > self._retries, self._is_outage(error)
        if not error.is_passing or (is_last and not is_outage):
            raise error
        if (error.retry_after or 0.0) > LONGEST_RETRY_AFTER:
            raise error
        wait = back_off(error.attempts, error.retry_after, self._dice)
        self._on_retry(Retry(self.model, error, error.attempts, None if is_last else self._retries, wait))
        self._wait(wait)

    def _is_outage(self, error: ModelError) -> bool:
        """Whether a model that has answered is gone, and not for too long."""
        if not isinstance(error, Unreachable) or not self._has_answered:
            return False
        now = self._clock()
        if self._gone_since is None:
            self._gone_since = now
        return now - self._gone_since < self._outage_seconds
