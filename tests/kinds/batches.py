"""Batches in the test's own thread: small params, a backend that can be told what to write, what came out."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

from pilothouse.kinds.generation.backend import DeterministicBackend, Request
from pilothouse.kinds.generation.job import perform
from pilothouse.kinds.generation.params import Params
from pilothouse.llm.client import Answer
from pilothouse.llm.errors import ModelError
from pilothouse.sdk.handle import RunHandle
from tests.sdk.link_server import LinkServer

TOPICS = ["tax", "tort", "trust"]


def batch(**more: Any) -> dict[str, Any]:
    """Small params."""
    return {
        "models": [{"name": "first"}, {"name": "second"}],
        "instructions": "Write {number} about {topic}.",
        "sections": ["Question", "Answer"],
        "topics": TOPICS,
        "target": 12,
        "concurrency": 2,
        **more,
    }


class Written(DeterministicBackend):
    """Some requests are answered otherwise, or not at all."""

    def __init__(
        self, params: Params, says: dict[str, str] | None = None, errors: dict[str, ModelError] | None = None
    ) -> None:
        super().__init__(params)
        self.asked: list[Request] = []
        self.says = says or {}
        self.errors = errors or {}

    def clock(self) -> float:
        """The batch's time; 100 s for each sample that was asked for."""
        return 100.0 * len(self.asked)

    def ask(self, request: Request) -> Answer:
        self.asked.append(request)
        for part, error in self.errors.items():
            if part in (request.model, "any"):
                raise error
        for part, text in self.says.items():
            if part in request.text:
                return Answer(text, tokens_in=10, tokens_out=5, seconds=0.001)
        return super().ask(request)


def work(handle: RunHandle, kind: type[Written] = Written, *, is_timed: bool = False, **how: Any) -> Written:
    params = Params.model_validate(handle.params)
    backend = kind(params, **how)
    try:
        perform(handle, params, backend, backend.clock if is_timed else time.monotonic)
        handle.settle()
    finally:
        handle._link.flush(30)
    return backend


def rows(server: LinkServer) -> dict[str, Any]:
    return {body.key: body for body in server.bodies("item.finished")}


def verdicts(server: LinkServer) -> Counter[str]:
    return Counter(body.data["verdict"] for body in server.bodies("item.finished"))


def notes(server: LinkServer, feed: str) -> list[str]:
    return [body.text for body in server.bodies("note") if body.feed == feed]


def kept_lines(server: LinkServer, name: str = "samples.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in server.log.files[name].decode().splitlines()]
