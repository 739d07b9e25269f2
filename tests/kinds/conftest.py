"""A run on a real link server, and small params."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pilothouse.kinds.benchmark.params import Params
from pilothouse.sdk.handle import RunHandle
from pilothouse.sdk.link import Link
from tests.sdk.link_server import LinkServer

Begin = Callable[..., RunHandle]


@pytest.fixture
def server() -> Iterator[LinkServer]:
    server = LinkServer()
    yield server
    server.stop()


@pytest.fixture
def begin(server: LinkServer, tmp_path: Path) -> Iterator[Begin]:
    """Begins the next attempt of a benchmark in the test's own thread."""
    links: list[Link] = []

    def begin(params: dict[str, Any] | None = None) -> RunHandle:
        if params is not None:
            server.add_run(**Params.model_validate(params).model_dump(mode="json"))
        else:
            server.next_attempt()
        log = server.log
        link = Link(server.url, "secret", "run_1", log.run.attempt)
        links.append(link)
        handle = RunHandle(
            link,
            id="run_1",
            name="test",
            attempt=log.run.attempt,
            params=dict(log.run.params),
            folder=tmp_path,
            saved_state=log.saved_state,
            finished=tuple(log.finished),
        )
        link.start(on_live=handle.params.update)
        return handle

    yield begin
    for link in links:
        link.close()


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
