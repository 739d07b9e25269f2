"""One request to one model, and its answer read.

The only module that knows the `openai` SDK. The SDK is imported when the first
question is asked: it costs most of a second.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pilothouse.llm.errors import BadResponse, MissingKey
from pilothouse.llm.offline.tokens import pieces
from pilothouse.llm.translate import Where, translate

if TYPE_CHECKING:
    from openai import OpenAI

OFFLINE = "offline"
Message = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Model:
    """A model and where it is served.

    Attributes:
        name: What the user calls it.
        base_url: Address of an OpenAI-compatible API; `offline` starts the offline model.
        api_key_env: Environment variable with the key; None without a key.
        model: What the endpoint calls it; None: the name.
    """

    name: str
    base_url: str = OFFLINE
    api_key_env: str | None = None
    model: str | None = None

    @property
    def id(self) -> str:
        """What the endpoint calls it."""
        return OFFLINE if self.base_url == OFFLINE else self.model or self.name


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered.

    Attributes:
        reasoning: What the model thought first, where the endpoint tells it apart.
        estimated: True when the endpoint did not count the tokens and we did.
        seconds: Time of the try that succeeded.
        finish_reason: `stop`, `length`, …
        attempts: Tries, the good one included.
    """

    text: str
    reasoning: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    estimated: bool = False
    seconds: float = 0.0
    finish_reason: str = "stop"
    attempts: int = 1


class Endpoint:
    """Where one model is served. Thread-safe.

    Args:
        environ: Where the API key is looked up.
    """

    def __init__(self, model: Model, environ: Mapping[str, str]) -> None:
        self._model = model
        self._environ = environ
        self._lock = threading.Lock()
        self._sdk: OpenAI | None = None
        self._limit_name = "max_tokens"

    def api_key(self) -> str | None:
        """The key, None when the model needs none.

        Raises:
            MissingKey: The variable is not set, or holds what no request can carry.
        """
        name = self._model.api_key_env
        if not name:
            return None
        key = self._environ.get(name, "").strip()
        if key.isascii() and key.isprintable() and key:
            return key
        wrong = (
            "holds signs that no API key has, such as a line break or a curly quote" if key else "is not set"
        )
        raise MissingKey(
            f"{name} {wrong}; it should hold the API key of the model {self._model.name}.",
            hint=f"Set {name} in the environment of the host, start the host again, then retry what is left.",
        )

    def ask(self, messages: Sequence[Message], options: Mapping[str, Any], timeout: float) -> Answer:
        """Send one request.

        Raises:
            ModelError: No answer.
        """
        sdk = self._client()
        where = Where(self._model.name, self._model.id, str(sdk.base_url), self._model.api_key_env, timeout)
        began = time.perf_counter()
        try:
            completion = self._create(sdk, messages, options, timeout)
        except Exception as error:
            raise translate(error, where) from error
        return _read(completion, messages, time.perf_counter() - began, where)

    def close(self) -> None:
        """Let the connections go."""
        with self._lock:
            if self._sdk is not None:
                self._sdk.close()

    def _client(self) -> OpenAI:
        with self._lock:
            if self._sdk is None:
                self._sdk = self._connect()
            return self._sdk

    def _connect(self) -> OpenAI:
        from openai import OpenAI

        url = self._model.base_url
        if url == OFFLINE:
            from pilothouse.llm.offline import embedded

            url = embedded()
        return OpenAI(base_url=url, api_key=self.api_key() or "none", max_retries=0)

    def _create(
        self, sdk: OpenAI, messages: Sequence[Message], options: Mapping[str, Any], timeout: float
    ) -> Any:
        """Newer models call the limit `max_completion_tokens` and refuse the old name."""
        import openai

        def send(limit_name: str) -> Any:
            named = {limit_name if name == "max_tokens" else name: value for name, value in options.items()}
            create: Any = sdk.chat.completions.create
            return create(model=self._model.id, messages=list(messages), timeout=timeout, **named)

        sent = self._limit_name  # another thread may learn the new name meanwhile
        try:
            return send(sent)
        except openai.BadRequestError as error:
            if sent != "max_tokens" or "max_completion_tokens" not in str(error):
                raise
            self._limit_name = "max_completion_tokens"
            return send(self._limit_name)


def _read(completion: Any, messages: Sequence[Message], seconds: float, where: Where) -> Answer:
    """The first choice of a completion. A server may send anything, so nothing is taken for granted."""
    choices = getattr(completion, "choices", None)
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = getattr(choice, "message", None)
    text = getattr(message, "content", None)
    if message is None or not isinstance(text, str | None):
        raise BadResponse(
            f"{where.provider} answered with something that is no chat completion.",
            hint=f"Is {where.base_url} the address of the API? It often ends in /v1.",
        )
    text = text or getattr(message, "refusal", None) or ""
    reasoning = getattr(message, "reasoning_content", None) or getattr(message, "reasoning", None)
    thought = reasoning if isinstance(reasoning, str) else ""
    usage = getattr(completion, "usage", None)
    tokens_in = _count(getattr(usage, "prompt_tokens", None))
    tokens_out = _count(getattr(usage, "completion_tokens", None))
    return Answer(
        text,
        thought,
        sum(len(pieces(entry.get("content", ""))) for entry in messages) if tokens_in is None else tokens_in,
        len(pieces(text)) + len(pieces(thought)) if tokens_out is None else tokens_out,
        tokens_in is None or tokens_out is None,
        seconds,
        getattr(choice, "finish_reason", None) or "stop",
    )


def _count(value: Any) -> int | None:
    """A number of tokens, None where the server has sent anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
