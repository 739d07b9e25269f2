"""The chat models of a kind's params: whom they ask, how fast, and for how much."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from pilothouse.kinds.models import Model
from pilothouse.llm.client import Answer, ChatClient, Retry
from pilothouse.llm.client import Model as ChatModel
from pilothouse.llm.errors import ModelError
from pilothouse.llm.pace import RateLimit
from pilothouse.llm.prices import Prices

OUTAGE_SECONDS = 600.0  # a server may restart and load its weights


class Asking(Protocol):
    """What params say of models and of how they are asked."""

    @property
    def models(self) -> Sequence[Model]:
        """Whom to ask."""

    @property
    def prices(self) -> str | None:
        """File of a price table."""

    @property
    def temperature(self) -> float:
        """0 gives the likeliest text."""

    @property
    def timeout_seconds(self) -> float:
        """For one try."""

    @property
    def max_tokens(self) -> int:
        """Where an answer is cut."""

    @property
    def retries(self) -> int:
        """Further tries after an error that may pass."""


class ChatModels:
    """Chat models behind OpenAI-compatible endpoints, by their names. Thread-safe.

    Args:
        params: Of the run.
        response_format: What is asked of the endpoint; None where the text alone must do.
        on_retry: Told before each wait, in the thread that asks.
        run_folder: See `clients`.
        outage_seconds: How long a model that has answered before is waited for when nobody answers.
        is_resumed: An earlier attempt of the run has asked these models.
    """

    def __init__(
        self,
        params: Asking,
        response_format: Mapping[str, Any] | None,
        on_retry: Callable[[Retry], None],
        run_folder: Path | None = None,
        outage_seconds: float = OUTAGE_SECONDS,
        is_resumed: bool = False,
    ) -> None:
        self._params = params
        self._format = response_format
        self._prices = Prices.load(params.prices)
        self._clients = clients(
            params.models,
            retries=params.retries,
            on_retry=on_retry,
            run_folder=run_folder,
            outage_seconds=outage_seconds,
            is_resumed=is_resumed,
        )

    def close(self) -> None:
        """Let the connections go."""
        for client in self._clients.values():
            client.close()

    def check(self, model: str) -> ModelError | None:
        """Why a model cannot be asked at all, None when it may be tried."""
        try:
            self._clients[model].check()
        except ModelError as error:
            return error
        return None

    def say(self, model: str, text: str, seed: int, key: str) -> Answer:
        """Ask once.

        Args:
            model: Its name.
            text: What to say.
            seed: Sent along.
            key: Names this request in every attempt of the run.

        Raises:
            ModelError: No answer.
        """
        params = self._params
        return self._clients[model].ask(
            [{"role": "user", "content": text}],
            temperature=params.temperature,
            seed=seed,
            timeout=params.timeout_seconds,
            max_tokens=params.max_tokens,
            response_format=self._format,
            idempotency_key=key,
        )

    def cost(self, model: str, tokens_in: int, tokens_out: int) -> float | None:
        """Dollars, None when the price is not known."""
        return self._prices.cost(self._clients[model].model.id, tokens_in, tokens_out)


def clients(
    models: Sequence[Model],
    *,
    retries: int,
    on_retry: Callable[[Retry], None],
    run_folder: Path | None = None,
    outage_seconds: float = 0.0,
    is_resumed: bool = False,
) -> dict[str, ChatClient]:
    """A client for each model by its name; models of one endpoint share its rate limit.

    Args:
        retries: Further tries after an error that may pass.
        on_retry: Told before each wait, in the thread that asks.
        run_folder: Of the run that asks: rate limits hold across all runs of its data folder. None: for these
            clients only.
        outage_seconds: See `ChatClient`.
        is_resumed: An earlier attempt of the run has asked these models.
    """
    limits = rate_limits(models, run_folder.parent.parent / "paces" if run_folder else None)
    return {
        model.name: ChatClient(
            ChatModel(model.name, model.base_url, model.api_key_env, model.model),
            limit=limits[model.base_url],
            retries=retries,
            outage_seconds=outage_seconds,
            has_answered=is_resumed,
            on_retry=on_retry,
        )
        for model in models
    }


def rate_limits(models: Sequence[Model], folder: Path | None = None) -> Mapping[str, RateLimit]:
    """One limit for each endpoint: the lowest that its models name.

    Args:
        folder: Where processes share them; None: nobody does.
    """
    endpoints = {
        model.base_url: [other for other in models if other.base_url == model.base_url] for model in models
    }
    return {
        url: RateLimit(
            min((model.rpm for model in served if model.rpm), default=None),
            min((model.tpm for model in served if model.tpm), default=None),
            file=folder / f"{sha256(url.encode()).hexdigest()[:16]}.json" if folder else None,
        )
        for url, served in endpoints.items()
    }
