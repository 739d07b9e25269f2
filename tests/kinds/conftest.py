"""A run on a real link server, and small params."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from pilothouse.kinds.benchmark.params import Params
from pilothouse.sdk.handle import RunHandle
from tests.kinds.attempts import Attempts
from tests.sdk.link_server import LinkServer

Begin = Callable[..., RunHandle]
CONTRACT_IN_SHORT = "TestBenchmark"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every kind's declaration is held to the contract each time; a real run of each is a long test."""
    for item in items:
        is_run = item.path.name == "test_contract.py" and "up" in getattr(item, "fixturenames", ())
        if is_run and item.parent and item.parent.name != CONTRACT_IN_SHORT:
            item.add_marker(pytest.mark.long)


@pytest.fixture
def server() -> Iterator[LinkServer]:
    server = LinkServer()
    yield server
    server.stop()


@pytest.fixture
def begin(server: LinkServer, tmp_path: Path) -> Iterator[Begin]:
    """Begins the next attempt of a run in the test's own thread; of a benchmark unless other params are named."""
    attempts = Attempts(server, tmp_path, dict)

    def begin(
        params: dict[str, Any] | None = None, kind: type[BaseModel] = Params, folder: Path | None = None
    ) -> RunHandle:
        given = None if params is None else kind.model_validate(params).model_dump(mode="json")
        return attempts.begin(given, folder)

    yield begin
    attempts.close()


def params(cases: int = 6, models: int = 2, prompts: int = 2, **more: Any) -> dict[str, Any]:
    """Small params; every third case is a weakness."""
    return {
        "prompts": [
            {"name": f"p{n}", "template": "{code} One of: {votes}. {answer}"} for n in range(prompts)
        ],
        "cases": [
            {"id": f"c{n}", "code": f"line {n}", "vote": "WEAKNESS" if n % 3 == 0 else "REAL"}
            for n in range(cases)
        ],
        "models": [{"name": f"m{n}"} for n in range(models)],
        "votes": ["REAL", "WEAKNESS", "FALSE_POSITIVE"],
        **more,
    }
